"""Goes on with the proofs of ledgers and audit logs, so that whoever asks for one need not wait for its past."""

from typing import Any

from models.audit import audits_unproved
from models.credit.checkpoint import organizations_unproved
from resolvers.audit_walk import advance_audit
from resolvers.context import Services
from resolvers.credit.prove import PART_LINES, advance, settled_before

_ORGANIZATIONS = 50
_PARTS = 20  # of one organization at a time


async def prove_ledgers(ctx: dict[str, Any]) -> int:
    """Look at the lines that were added since the last time, a part at a time. Returns how many. Safe to run twice."""
    services: Services = ctx["services"]
    proved = 0
    for organization_id in await organizations_unproved(settled_before(services.now()), _ORGANIZATIONS):
        for _ in range(_PARTS):
            lines = await advance(organization_id, services.now(), services.audit_seals)
            proved += lines
            if lines < PART_LINES:
                break
    return proved


async def prove_audit_logs(ctx: dict[str, Any]) -> int:
    """Walk the lines of audit logs that were added since the last time. Returns how many. Safe to run twice."""
    services: Services = ctx["services"]
    return sum(
        [
            await advance_audit(organization_id, services.now(), services.audit_seals)
            for organization_id in await audits_unproved(_ORGANIZATIONS)
        ]
    )
