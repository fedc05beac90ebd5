"""One run of the scheduled refresh for one organization: its rules, and the credits that it may cost."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from enrichment.config import Config
from enrichment.enums import EntityType, FieldPolicy
from enrichment.waterfall.reuse import oldest_reusable, refresh_answers_since
from models.db.transaction import Transaction
from models.refresh.due import Due
from models.refresh.plan import most_under_way
from models.refresh.state import RefreshStateRow, spent
from providers.sources import sources_of
from resolvers.context import Services
from resolvers.credit.account import account_of, remaining_of

STARTED_AT_ONCE = 1000


def midnight_of(moment: datetime) -> datetime:
    """The start of the day (UTC) that the moment is in."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class RefreshRun:
    """One organization's refresh at one moment. `version` is its configuration's."""

    services: Services
    organization_id: str
    config: Config
    version: int
    now: datetime

    @property
    def midnight(self) -> datetime:
        return midnight_of(self.now)

    @property
    def answers_since(self) -> datetime | None:
        """The moment before which an answer is too old for the refresh."""
        return refresh_answers_since(self.now, self.config.triggers.refresh_after_days)

    def answers_of_provider_since(self, provider_id: str) -> datetime:
        """The moment after which this provider must have given an answer that the refresh may reuse."""
        info = self.services.registry.info(provider_id)
        assert info is not None  # a provider that the configuration switches on and the registry has
        days = self.config.answer_days(provider_id, info.answer_days)
        return oldest_reusable(self.now, days, created_at=self.now, answers_since=self.answers_since)

    def due(self) -> Due | None:
        """Which records are due now; None when none can be."""
        days = self.config.triggers.refresh_after_days
        types = tuple(entity_type for entity_type in EntityType if self.config.entity_types.allows(entity_type))
        if not self.config.enabled or days is None or not types:
            return None
        # Within the cooldown a job would be skipped.
        age = max(timedelta(days=days), timedelta(hours=self.config.cooldown_hours))
        return Due(self.organization_id, self.now - age, self.midnight, types)

    def left_today(self, state: RefreshStateRow) -> int:
        """How many records may still be started on this day."""
        most = self.config.refresh.max_per_day
        return STARTED_AT_ONCE if most is None else most - state.started

    def price(self, entity_type: EntityType) -> int:
        """The most credits that a record of this type may cost, as far as the configuration alone says."""
        policies, pay_for = self.config.field_policies.of(entity_type), self.config.pay_for.of(entity_type)
        enabled = (self.services.registry.info(rule.id) for rule in self.config.providers if rule.enabled)
        infos = [info for info in enabled if info is not None]
        total = 0
        for source in sources_of(infos, entity_type, company_questions=self.config.company_questions):
            given = {name for name in source.gives if policies.rule(name).policy is not FieldPolicy.NEVER}
            paying = pay_for.among(given)
            total += source.most(paying) if paying else 0
        limit = self.config.credits.per_record_max
        return total if limit is None else min(total, limit)

    async def funds(self) -> int:
        """Credits that the organization may still spend on anything."""
        account = await account_of(self.organization_id, self.now, self.services.monthly_credit_grant)
        return remaining_of(account, self.config)

    async def room(self, state: RefreshStateRow, funds: int | None, *, using: Transaction | None = None) -> int | None:
        """Credits that further refreshes may cost for sure, whatever those under way still cost; None: no limit.

        `funds` None: refreshes cost nothing of the organization's credits.
        """
        rooms = [] if funds is None else [funds]
        budget = self.config.refresh.credit_budget
        if budget is not None:
            rooms.append(budget - await spent(self.organization_id, state.budget_id, self.midnight, using=using))
        if not rooms:
            return None
        return max(min(rooms) - await most_under_way(self.organization_id, using=using), 0)
