"""Rules that reviewers already follow: suggested with how they would have done, accepted or dismissed."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.catalogue import is_equivalent
from enrichment.config import Config, ReviewRule
from enrichment.decide.merge import Candidate, survivors
from enrichment.enums import SOURCE_REVIEWER, ConflictReason, EntityType, ResolutionAction
from enrichment.learn.suggestions import (
    ReviewDecision,
    ReviewedConflict,
    Suggestion,
    find_suggestions,
    pattern_of,
    suggestion_id,
)
from models.conflict import Conflict
from models.conflict_queue import latest_decisions, open_questions
from models.db.columns import to_micros
from models.db.statements import load, query
from models.db.transaction import Transaction, unit_of_work
from resolvers.audit import note_change
from resolvers.config import ConfigView, change_config, get_config
from resolvers.conflict.api import MOST_RESOLVED, ResolveOutcome, read_conflicts
from resolvers.conflict.resolve_by_rule import settle_by_rule
from resolvers.context import Context, Role
from resolvers.errors import NotFound, OperationError, StateConflict
from resolvers.events.publisher import announce
from resolvers.organizations import organization_of
from resolvers.paging import check_id

MOST_DECISIONS = 5000  # the latest, which a suggestion is drawn from
MOST_OPEN = 10_000  # the newest, among which is counted what a rule would settle


@dataclass(frozen=True, slots=True)
class RuleSuggestion:
    """A suggestion, and how many open conflicts its rule would settle now."""

    suggestion: Suggestion
    settles_open: int

    @property
    def text(self) -> str:
        """All of it in plain words."""
        told = self.suggestion
        newer = f"{_times(told.tested - told.tested_agreed)} in the newest {told.tested}"
        return (
            f"{told.words[0].upper()}{told.words[1:]}. Make it a rule? It would settle {self.settles_open} open"
            f" {'conflict' if self.settles_open == 1 else 'conflicts'}, and would have been wrong"
            f" {_times(told.wrong)}, {newer}, which it was not fitted on."
        )


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A suggestion made a rule: the configuration with it, what became of open conflicts, how many remain open."""

    rule: ReviewRule
    config: ConfigView
    outcomes: list[ResolveOutcome]
    remaining: int


async def list_suggestions(ctx: Context) -> list[RuleSuggestion]:
    """What is suggested now, from the latest 5,000 decisions; what was dismissed is left out."""
    caller = ctx.require(Role.VIEWER)
    config = (await get_config(ctx)).config
    found = await _suggestions(ctx, config)
    dismissed = await _dismissed(caller.organization_id)
    shown = [one for one in found if pattern_of(one.rule) not in dismissed]
    fields = sorted({(one.rule.entity_type.value, one.rule.field) for one in shown})
    rows = await open_questions(caller.organization_id, fields, MOST_OPEN)
    return await asyncio.to_thread(_with_open, shown, rows, config)


async def _suggestions(ctx: Context, config: Config) -> list[Suggestion]:
    rows = await latest_decisions(ctx.require(Role.VIEWER).organization_id, MOST_DECISIONS)
    # Much arithmetic, which must not keep the event loop from others.
    found = await asyncio.to_thread(lambda: find_suggestions([_decided(row) for row in reversed(rows)], config))
    known = {None, *ctx.services.registry.ids()}
    return [one for one in found if one.rule.provider in known]


async def _dismissed(organization_id: str) -> set[str]:
    rows = await query("SELECT pattern FROM suggestion_dismissal WHERE organization_id = ?", [organization_id])
    return {row["pattern"] for row in rows}


def _with_open(shown: Sequence[Suggestion], rows: Sequence[Mapping[str, Any]], config: Config) -> list[RuleSuggestion]:
    questions = [_question(row) for row in rows]
    return [
        RuleSuggestion(one, sum(question.settled_by(one.rule, config) is not None for question in questions))
        for one in shown
    ]


def _question(row: Mapping[str, Any]) -> ReviewedConflict:
    entity_type, field = EntityType(row["entity_type"]), row["field"]
    current = load(row["current"])
    told = [
        Candidate(one["provider"], one["value"], one["confidence"], datetime.fromisoformat(one["observedAt"]))
        for one in load(row["candidates"])
    ]
    return ReviewedConflict(
        entity_type=entity_type,
        field=field,
        reason=ConflictReason(row["reason"]),
        proposals=survivors(told, lambda a, b: is_equivalent(entity_type, field, a, b)),
        has_value=current is not None,
        chosen_by_hand=current is not None and current["source"] == SOURCE_REVIEWER,
    )


def _decided(row: Mapping[str, Any]) -> ReviewDecision:
    question = _question(row)
    resolution = load(row["resolution"])
    current = load(row["current"])
    value = resolution["value"]
    chosen = {
        one.provider
        for proposal in question.proposals
        if is_equivalent(question.entity_type, question.field, proposal.value, value)
        for one in proposal.support
    }
    kept = resolution["action"] == ResolutionAction.KEEP_CURRENT or (
        current is not None and is_equivalent(question.entity_type, question.field, current["value"], value)
    )
    return ReviewDecision(question, frozenset(chosen), kept)


async def accept_suggestion(
    ctx: Context, suggestion_id_: str, *, expected_version: int | None = None, apply_to_open: bool = True
) -> Accepted:
    """Put the suggested rule at the end of the configuration's, and settle by it what is open, 1,000 at most.

    The same again adds nothing, and settles what is left. Raises NotFound when no such rule is suggested any more,
    and VersionMismatch when `expected_version` is not the configuration's.
    """
    caller = ctx.require(Role.MANAGER)
    wanted = check_id(suggestion_id_)
    now = ctx.services.now()
    await organization_of(caller.organization_id, ctx.services.registry, now)
    view = await get_config(ctx)
    rule = next((one for one in view.config.rules if suggestion_id(one) == wanted), None)
    if rule is None:
        suggestion = await _suggested(ctx, view.config, wanted)
        rule = suggestion.rule
        view = await unit_of_work(_add)(ctx, suggestion, expected_version, now)
    outcomes, remaining = await _settle_open(ctx, rule, view.config) if apply_to_open else ([], 0)
    return Accepted(rule, view, outcomes, remaining)


async def _suggested(ctx: Context, config: Config, wanted: str) -> Suggestion:
    found = next((one for one in await _suggestions(ctx, config) if one.id == wanted), None)
    if found is None:
        raise NotFound("no such suggestion, or what reviewers do has changed since")
    return found


async def _add(
    tx: Transaction, ctx: Context, suggestion: Suggestion, expected_version: int | None, now: datetime
) -> ConfigView:
    rule = suggestion.rule

    def changes(before: Config) -> dict[str, Any]:
        rules = before.rules if rule in before.rules else [*before.rules, rule]
        return {"rules": [one.model_dump(mode="json", by_alias=True) for one in rules]}

    view = await change_config(tx, ctx, changes, expected_version=expected_version, now=now)
    if view.updated_at == now:
        await note_change(
            tx,
            ctx,
            "rule.accepted",
            suggestion.id,
            {
                "rule": rule.words(),
                "seen": suggestion.seen,
                "agreed": suggestion.agreed,
                "version": view.version,
            },
        )
    return view


async def _settle_open(ctx: Context, rule: ReviewRule, config: Config) -> tuple[list[ResolveOutcome], int]:
    """Settle the open conflicts that this rule decides, newest first; what became of each, and how many remain."""
    caller = ctx.require(Role.MANAGER)
    organization_id = caller.organization_id
    rows = await open_questions(organization_id, [(rule.entity_type.value, rule.field)], MOST_OPEN)
    covered = [row["id"] for row in rows if _question(row).settled_by(rule, config) is not None]
    chosen = covered[:MOST_RESOLVED]
    errors: dict[str, OperationError] = {}
    for conflict in await Conflict.filter(organization_id=organization_id, id__in=chosen):
        ruled = _question(_asked(conflict)).settled_by(rule, config)
        try:
            if ruled is None:
                raise StateConflict("the question has changed meanwhile", state=conflict.status.value)
            await settle_by_rule(conflict, ruled, caller.user, ctx.services.now(), origin=ctx.origin)
        except OperationError as error:
            errors[conflict.id] = error
    after = await read_conflicts(organization_id, [one for one in chosen if one not in errors])
    if after:
        jobs = list({conflict.job_id for conflict in after.values()})
        await announce(ctx.services.redis, organization_id, conflicts=list(after), jobs=jobs)
    outcomes = [ResolveOutcome(one, after.get(one), errors.get(one)) for one in chosen]
    return outcomes, len(covered) - len(after)


def _asked(conflict: Conflict) -> dict[str, Any]:
    return {name: getattr(conflict, name) for name in ("entity_type", "field", "reason", "current", "candidates")}


async def dismiss_suggestion(ctx: Context, suggestion_id_: str) -> None:
    """Hear no more of a suggestion, whatever its least confidence. The same again changes nothing. Raises NotFound."""
    caller = ctx.require(Role.MANAGER)
    wanted = check_id(suggestion_id_)
    now = ctx.services.now()
    config = (await get_config(ctx)).config
    suggestion = await _suggested(ctx, config, wanted)

    async def body(tx: Transaction) -> None:
        added = await query(
            "INSERT INTO suggestion_dismissal (organization_id, pattern, dismissed_at, dismissed_by)"
            " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING pattern",
            [caller.organization_id, pattern_of(suggestion.rule), to_micros(now), caller.user],
            using=tx,
        )
        if added:
            await note_change(tx, ctx, "rule.dismissed", suggestion.id, {"rule": suggestion.rule.words()})

    await unit_of_work(body)()
