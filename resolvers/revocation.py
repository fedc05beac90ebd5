"""Revoking tokens before they expire: one by its id, or all that a user has."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from models.db.acting import acting_for
from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.token_revocation import RevocationRow, add_revocation, find_revocation
from resolvers.audit import note_change
from resolvers.context import Caller, Context, Role
from resolvers.errors import BadRequest, Fault, Unavailable
from resolvers.organizations import organization_of
from resolvers.out_of_reach import is_out_of_reach
from resolvers.validation import MAX_NAME, check_text

COUNTS_WITHIN_SECONDS = 5.0  # until a process that knows a token looks again whether it is good
LOOK_SECONDS = 30.0  # between the looks of a connection that stays open
CLOCK_SKEW = timedelta(seconds=10)  # by which the clock of whoever issues tokens may be ahead of ours

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Revocation:
    """What was revoked: a token by its `jti`, or the tokens of `user` that were issued before `issued_before`."""

    jti: str | None
    user: str | None
    issued_before: datetime | None
    revoked_at: datetime


async def revoke_tokens(
    ctx: Context, *, jti: str | None = None, user: str | None = None, issued_before: datetime | None = None
) -> Revocation:
    """Have tokens of the organization refused from now on, within COUNTS_WITHIN_SECONDS everywhere.

    `issued_before`: None: now. Raises BadRequest where not exactly one of `jti` and `user` is named, or the moment is
    to come: what is issued after this call stays good.
    """
    caller = ctx.require(Role.ADMIN)
    now = ctx.services.now()
    if (jti is None) == (user is None):
        message = "name the id of one token, or a user"
        raise BadRequest(message, faults=[Fault("jti", message)])
    for path, text in (("jti", jti), ("user", user)):
        if text is not None:
            check_text(text, path, longest=MAX_NAME)
    if issued_before is not None and (user is None or issued_before > now + CLOCK_SKEW):
        message = "a moment goes with a user" if user is None else "a moment that has been"
        raise BadRequest(f"issuedBefore: {message}", faults=[Fault("issuedBefore", message)])
    await organization_of(caller.organization_id, ctx.services.registry, now)
    before = None if user is None else issued_before or now
    revocation = Revocation(jti, user, before, now)
    await _revoke(ctx, revocation)
    return revocation


@unit_of_work
async def _revoke(tx: Transaction, ctx: Context, revocation: Revocation) -> None:
    organization_id = ctx.require(Role.ADMIN).organization_id
    row = RevocationRow(
        new_id(), organization_id, revocation.jti, revocation.user, revocation.issued_before, revocation.revoked_at
    )
    await add_revocation(tx, row)
    before = None if revocation.issued_before is None else revocation.issued_before.isoformat()
    subject = revocation.user or f"token {revocation.jti}"
    await note_change(tx, ctx, "tokens.revoked", subject, {"issuedBefore": before} if before else None)


async def is_revoked(caller: Caller) -> bool:
    """Whether the caller's token was revoked. Raises Unavailable where the database cannot say."""
    try:
        with acting_for(caller.organization_id):
            return await find_revocation(caller.organization_id, caller.user, caller.token_id, caller.issued_at)
    except Exception as error:
        if not is_out_of_reach(error):
            raise
        raise Unavailable("tokens cannot be checked at the moment") from error


async def until_refused(caller: Caller) -> None:
    """Return once the caller's token has expired or was revoked, for connections that outlive requests.

    A look that fails or hangs keeps nothing open beyond the token's time.
    """
    while (left := _seconds_left(caller)) > 0:
        await asyncio.sleep(min(left, LOOK_SECONDS))
        if (left := _seconds_left(caller)) > 0 and await _was_revoked(caller, min(left, LOOK_SECONDS)):
            return


def _seconds_left(caller: Caller) -> float:
    return LOOK_SECONDS if caller.expires_at is None else caller.expires_at.timestamp() - time.time()


async def _was_revoked(caller: Caller, seconds: float) -> bool:
    """Whether the token is known to be revoked, within so many seconds."""
    # Not cancelled where it hangs: a cancelled query may keep its connection for ever.
    look = asyncio.create_task(is_revoked(caller), name="look for a revocation")
    look.add_done_callback(_note_failure)
    done, _ = await asyncio.wait({look}, timeout=seconds)
    return bool(done) and look.exception() is None and look.result()


def _note_failure(look: asyncio.Task[bool]) -> None:
    if not look.cancelled() and (error := look.exception()) is not None:
        _log.warning("a token cannot be looked at", error=type(error).__name__)
