"""Credits: an append-only ledger, and the account that sums it up.

Each line changes two numbers of the account: `amount` changes `balance`, `reserved_change` changes `reserved`.

| kind        | amount | reserved_change |                                                     |
| grant       | +n     | 0               | the month's grant, or an admin's                    |
| expiry      | -n     | 0               | what was left of the month's grant at its end       |
| reservation | 0      | +price          | before a call                                       |
| charge      | -cost  | -cost           | the call matched; settles the reservation           |
| release     | 0      | -price          | no match or an error; settles the reservation       |
| release     | 0      | cost - price    | what a charge left of its price; settles the charge |

So `balance` is the sum of the amounts, `reserved` the sum of the reserved changes, and what may still be
spent is `balance - reserved`. Whole credits throughout.
"""

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from enrichment.enums import CreditKind, EntityType, JobTrigger
from models.db.columns import Instant, id_field


class CreditAccount(Model):
    """The running sums of one organization's ledger; locked by whoever changes it.

    `monthly_balance` is the part of the balance that ends with `month`; it is spent first.
    """

    organization_id = fields.CharField(max_length=128, primary_key=True)
    balance = fields.BigIntField(default=0)
    monthly_balance = fields.BigIntField(default=0)
    reserved = fields.BigIntField(default=0)
    month = fields.CharField(max_length=7, default="")  # 2026-11
    used_in_month = fields.BigIntField(default=0)
    day = fields.CharField(max_length=10, default="")  # 2026-11-24
    used_in_day = fields.BigIntField(default=0)

    class Meta:
        table = "credit_account"


class CreditEntry(Model):
    """One line of the ledger."""

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    kind = fields.CharEnumField(CreditKind, max_length=16)
    amount = fields.BigIntField()
    reserved_change = fields.BigIntField(default=0)
    job_id = fields.CharField(max_length=36, null=True)
    record_id = fields.CharField(max_length=36, null=True)
    provider = fields.CharField(max_length=64, null=True)
    entity_type = fields.CharEnumField(EntityType, max_length=16, null=True)
    trigger = fields.CharEnumField(JobTrigger, max_length=32, null=True, source_field="trigger_kind")
    settles = fields.CharField(max_length=36, null=True)  # the reservation, or charge, that this line ends
    note = fields.TextField(null=True)
    actor = fields.CharField(max_length=255, null=True)
    idempotency_key = fields.CharField(max_length=255, null=True)
    created_at: datetime = Instant()

    class Meta:
        table = "credit_entry"


class CreditAlert(Model):
    """A share (0-1) of the month's credits that was crossed: told once for each month and threshold."""

    id = id_field()
    organization_id = fields.CharField(max_length=128)
    month = fields.CharField(max_length=7)
    threshold = fields.FloatField()
    used = fields.BigIntField()
    most = fields.BigIntField()  # what the share is of: the monthly limit, or else the month's grant
    raised_at: datetime = Instant()

    class Meta:
        table = "credit_alert"
