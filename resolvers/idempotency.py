"""A request that comes twice with the same idempotency key is done once, and answered as the first time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.idempotency import KeptAnswer, claim, forget, keep
from resolvers.context import Context, Role
from resolvers.errors import BadRequest, Fault, IdempotencyKeyInUse, IdempotencyKeyReused
from resolvers.organizations import organization_of

LONGEST_KEY = 255
KEPT_FOR = timedelta(days=1)
LOST_AFTER = timedelta(minutes=2)  # longer than any request is answered; then its process is taken for lost
_PRINTABLE = range(0x21, 0x7F)


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What the request was answered the first time."""

    status: int
    headers: Mapping[str, str]
    body: str


async def begin(ctx: Context, key: str, request: str) -> str | FirstAnswer:
    """The id under which the answer to a new request is kept; of one that came before, the answer.

    `request` is the SHA-256 of what is asked. Raises BadRequest for what cannot be a key, IdempotencyKeyReused where
    something else was asked under it, and IdempotencyKeyInUse while the first is under way.
    """
    caller = ctx.require(Role.VIEWER)
    if not (0 < len(key) <= LONGEST_KEY and all(ord(character) in _PRINTABLE for character in key)):
        message = f"must be 1 to {LONGEST_KEY} printable ASCII characters without blanks"
        raise BadRequest(f"Idempotency-Key {message}", faults=[Fault("Idempotency-Key", message)])
    now = ctx.services.now()
    await organization_of(caller.organization_id, ctx.services.registry, now)
    begun = KeptAnswer(
        id=new_id(),
        organization_id=caller.organization_id,
        caller=caller.user,
        idempotency_key=key,
        request=request,
        created_at=now,
        expires_at=now + KEPT_FOR,
        headers={},
    )
    found = await _claim(ctx, begun)
    if found.id == begun.id:
        return begun.id
    if found.request != request:
        raise IdempotencyKeyReused("this Idempotency-Key was used for another request")
    if found.status is None:
        raise IdempotencyKeyInUse("the first request with this Idempotency-Key is still under way", state="under_way")
    return FirstAnswer(found.status, found.headers, found.body)


@unit_of_work
async def _claim(tx: Transaction, ctx: Context, begun: KeptAnswer) -> KeptAnswer:
    return await claim(tx, begun, lost_before=ctx.services.now() - LOST_AFTER)


async def end(ctx: Context, answer_id: str, answer: FirstAnswer) -> None:
    """Keep the answer; where it is a fault of ours, or says to come again, let the key be used anew."""
    organization_id = ctx.require(Role.VIEWER).organization_id
    if answer.status >= 500 or answer.status == 429:
        await forget(organization_id, answer_id)
    else:
        await keep(organization_id, answer_id, answer.status, answer.headers, answer.body)
