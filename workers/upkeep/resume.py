"""Operations of many steps whose process has died: they go on here."""

import time
from datetime import timedelta
from typing import Any

import structlog

from models import operation as rows
from models.db.transaction import Transaction, unit_of_work
from resolvers.conflict.resolve_many import RESOLUTION
from resolvers.conflict.take_back_many import TAKING_BACK
from resolvers.context import Services
from resolvers.erasure.run import ERASURE
from resolvers.operation import OperationKind, OperationLost, OperationRun, run_operation
from resolvers.undo.run import REVERT, UNDO
from workers.repeating import repeat

KINDS: dict[str, OperationKind] = {kind.name: kind for kind in (UNDO, REVERT, ERASURE, RESOLUTION, TAKING_BACK)}
EVERY_SECONDS = 5.0
RESUME_SECONDS = 20.0  # after which a run begins no further step: the next one goes on
MOST_ATTEMPTS = 20  # without a step that succeeded
_LONGEST_PAUSE = timedelta(seconds=60)

_log = structlog.get_logger(__name__)


async def resume_forever(services: Services) -> None:
    """Look for such operations every five seconds until cancelled; where there are none, that is one statement."""
    await repeat(lambda: resume({"services": services}), lambda: EVERY_SECONDS, "resume")


async def resume(ctx: dict[str, Any]) -> int:
    """Go on with operations that nobody works on any more. Returns how many ended.

    One whose steps fail again and again is stopped after 20 attempts, which takes some 15 minutes.
    """
    services: Services = ctx["services"]
    deadline = time.monotonic() + RESUME_SECONDS
    ended = 0
    while time.monotonic() < deadline:
        held = await rows.take_up(services.now())
        if held is None:
            break
        kind = KINDS.get(held.kind)
        if kind is None:  # of newer code, beside which this process still runs
            await rows.postpone(held, services.now() + _LONGEST_PAUSE)
            continue
        ended += await _resume(kind, OperationRun(services, held), deadline - time.monotonic())
    return ended


async def _resume(kind: OperationKind, run: OperationRun, seconds: float) -> bool:
    names = {"operation_id": run.held.id, "kind": kind.name, "organization": run.held.organization_id}
    now = run.services.now
    try:
        if run.held.attempts > MOST_ATTEMPTS:
            _log.error("operation given up", **names)
            return await _give_up(kind, run)
        _log.info("operation resumed", attempts=run.held.attempts, **names)
        if await run_operation(kind, run, seconds=seconds):
            return True
        await rows.postpone(run.held, now())
    except OperationLost:
        _log.info("operation goes on elsewhere", **names)
    except Exception:
        _log.exception("operation failed", **names)
        await rows.postpone(run.held, now() + min(timedelta(seconds=2**run.held.attempts), _LONGEST_PAUSE))
    return False


@unit_of_work
async def _give_up(tx: Transaction, kind: OperationKind, run: OperationRun) -> bool:
    if not await rows.stop(tx, run.held.organization_id, run.held.id, run.services.now(), kinds=[kind.name]):
        return False
    await kind.gave_up(tx, run)
    return True
