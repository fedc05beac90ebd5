"""Settle an open conflict by a rule of the organization, as if the rule had been there before the conflict."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from enrichment.decide.merge import Proposal
from enrichment.decide.rules import RuleDecision
from enrichment.enums import ResolutionAction
from enrichment.words import naming
from models.conflict.table import Conflict
from resolvers.conflict.choice import current_value
from resolvers.conflict.settle import SettledValue, Settlement, settle_conflict
from resolvers.context import Context, Role


async def settle_by_rule(ctx: Context, conflict: Conflict, decision: RuleDecision) -> None:
    """Write what the rule says: an accepted value is its provider's, a kept one stays whose it is.

    Nothing is remembered as rejected, and the decision counts for or against no source. The caller accepted the rule.
    Raises as `settle_conflict`.
    """
    assert decision.rule is not None  # the caller picks the conflicts that a rule decides
    user, now = ctx.require(Role.MANAGER).user, ctx.services.now()
    rule = decision.rule.words(naming(ctx.services.registry.names))
    settlement = _settlement(conflict, decision.accepts, rule, user, now)
    await settle_conflict(ctx.services, conflict, settlement, origin=ctx.origin)


def _settlement(conflict: Conflict, accepts: Proposal | None, rule: str, user: str, now: datetime) -> Settlement:
    if accepts is None:
        return Settlement(
            ResolutionAction.KEEP_CURRENT, current_value(conflict), None, user, now, write=None, rule=rule
        )
    candidate = _candidate(conflict, accepts)
    return Settlement(
        ResolutionAction.ACCEPT_CANDIDATE,
        candidate["value"],
        candidate["id"],
        user,
        now,
        write=SettledValue(accepts.provider, accepts.confidence, accepts.observed_at),
        rule=rule,
    )


def _candidate(conflict: Conflict, accepts: Proposal) -> Mapping[str, Any]:
    provider, value = accepts.provider, accepts.value
    return next(
        candidate
        for candidate in conflict.candidates
        if candidate["provider"] == provider and candidate["value"] == value
    )
