"""Rules that reviewers already follow: suggested with how they would have done, accepted or dismissed."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.config import Config, ReviewRule
from enrichment.learn.suggestions import (
    Suggestion,
    find_suggestions,
    pattern_of,
    suggestion_id,
)
from enrichment.words import NameOf, at_start, naming, source_name
from models.conflict.review import ReviewRow, latest_decisions, newest_open
from models.db.transaction import Transaction, unit_of_work
from models.record.value import CurrentValue, current_values
from models.suggestion import DismissalRow, dismissed_patterns, insert_dismissal
from resolvers.audit import note_change
from resolvers.config import ConfigView, change_config, get_config
from resolvers.conflict.resolve_many import MOST_AT_ONCE, ResolvedMany, ResolveOutcome, resolve_by_rule
from resolvers.conflict.review import Ages, decisions_of, settled_by
from resolvers.context import Context, Role
from resolvers.errors import NotFound
from resolvers.organizations import organization_of
from resolvers.paging import check_id
from resolvers.refresh.freshness import LearnedHalfLives, learned_by

MOST_DECISIONS = 5000  # the latest, which a suggestion is drawn from
MOST_OPEN = 10_000  # the newest, among which is counted what a rule would settle
_RECORDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class RuleSuggestion:
    """A suggestion, and how many open conflicts its rule would settle now."""

    suggestion: Suggestion
    settles_open: int
    name_of: NameOf = source_name

    @property
    def text(self) -> str:
        """All of it in plain words."""
        found = self.suggestion
        words = at_start(found.words(self.name_of))
        newer = f"{_times(found.tested - found.tested_agreed)} in the newest {found.tested}"
        return (
            f"{words}. Make it a rule? It would settle {self.settles_open} open"
            f" {'conflict' if self.settles_open == 1 else 'conflicts'}, and would have been wrong"
            f" {_times(found.wrong)}, {newer}, which it was not fitted on."
        )


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A suggestion that became a rule: the configuration with it, and what became of the open conflicts it decides.

    `resolved` is None where none were to be decided; `remaining` is how many of those are open still.
    """

    rule: ReviewRule
    config: ConfigView
    resolved: ResolvedMany | None
    remaining: int

    @property
    def outcomes(self) -> list[ResolveOutcome]:
        """What became of each conflict, newest first."""
        return [] if self.resolved is None else self.resolved.outcomes


async def list_suggestions(ctx: Context) -> list[RuleSuggestion]:
    """What is suggested now, from the latest 5,000 decisions; what was dismissed is left out."""
    caller = ctx.require(Role.VIEWER)
    config = (await get_config(ctx)).config
    found = await _suggestions(ctx, config)
    dismissed = await dismissed_patterns(caller.organization_id)
    shown = [suggestion for suggestion in found if pattern_of(suggestion.rule) not in dismissed]
    fields = sorted({(suggestion.rule.entity_type.value, suggestion.rule.field) for suggestion in shown})
    rows = await newest_open(caller.organization_id, fields, MOST_OPEN)
    ages = await _ages_now(ctx, [row.record_id for row in rows], {field for _, field in fields})
    return await asyncio.to_thread(_with_open, shown, rows, config, ages, naming(ctx.services.registry.names))


async def _ages_now(ctx: Context, record_ids: Iterable[str], names: Collection[str]) -> Ages:
    """How old what open conflicts about these fields of these records show is now."""
    organization_id = ctx.require(Role.VIEWER).organization_id
    half_lives = (await learned_by([organization_id]))[organization_id]
    held: dict[str, dict[str, CurrentValue]] = {}
    ids = list(dict.fromkeys(record_ids))
    for start in range(0, len(ids), _RECORDS_AT_ONCE):
        held |= await current_values(ids[start : start + _RECORDS_AT_ONCE], names=names)
    return Ages(half_lives, ctx.services.now(), held)


async def _suggestions(ctx: Context, config: Config) -> list[Suggestion]:
    organization_id = ctx.require(Role.VIEWER).organization_id
    rows = await latest_decisions(organization_id, MOST_DECISIONS)
    half_lives = (await learned_by([organization_id]))[organization_id]
    # Much arithmetic, which must not keep the event loop from others.
    found = await asyncio.to_thread(_found_in, rows, config, half_lives)
    known = {None, *ctx.services.registry.ids()}
    return [suggestion for suggestion in found if suggestion.rule.provider in known]


def _found_in(rows: Sequence[ReviewRow], config: Config, half_lives: LearnedHalfLives) -> list[Suggestion]:
    history = [decision for row in reversed(rows) for decision in decisions_of(row, half_lives)]
    return find_suggestions(history, config)


def _with_open(
    shown: Sequence[Suggestion], rows: Sequence[ReviewRow], config: Config, ages: Ages, name_of: NameOf
) -> list[RuleSuggestion]:
    return [
        RuleSuggestion(
            suggestion, sum(settled_by(row, suggestion.rule, config, ages) is not None for row in rows), name_of
        )
        for suggestion in shown
    ]


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
    rule = next((known for known in view.config.rules if suggestion_id(known) == wanted), None)
    if rule is None:
        suggestion = await _suggested(ctx, view.config, wanted)
        rule = suggestion.rule
        view = await _add(ctx, suggestion, expected_version, now)
    resolved, remaining = await _settle_open(ctx, rule, view.config) if apply_to_open else (None, 0)
    return Accepted(rule, view, resolved, remaining)


async def _suggested(ctx: Context, config: Config, wanted: str) -> Suggestion:
    found = next((known for known in await _suggestions(ctx, config) if known.id == wanted), None)
    if found is None:
        raise NotFound("no such suggestion, or what reviewers do has changed since")
    return found


@unit_of_work
async def _add(
    tx: Transaction, ctx: Context, suggestion: Suggestion, expected_version: int | None, now: datetime
) -> ConfigView:
    rule = suggestion.rule

    def changes(before: Config) -> dict[str, Any]:
        rules = before.rules if rule in before.rules else [*before.rules, rule]
        return {"rules": [kept.model_dump(mode="json", by_alias=True) for kept in rules]}

    view = await change_config(tx, ctx, changes, expected_version=expected_version, now=now)
    if view.updated_at == now:
        await note_change(
            tx,
            ctx,
            "rule.accepted",
            suggestion.id,
            {
                "rule": rule.words(naming(ctx.services.registry.names)),
                "seen": suggestion.seen,
                "agreed": suggestion.agreed,
                "version": view.version,
            },
        )
    return view


async def _settle_open(ctx: Context, rule: ReviewRule, config: Config) -> tuple[ResolvedMany, int]:
    """Settle the open conflicts that this rule decides, newest first; what became of each, and how many remain."""
    organization_id = ctx.require(Role.MANAGER).organization_id
    rows = await newest_open(organization_id, [(rule.entity_type.value, rule.field)], MOST_OPEN)
    ages = await _ages_now(ctx, [row.record_id for row in rows], {rule.field})
    covered = [row.id for row in rows if settled_by(row, rule, config, ages) is not None]
    resolved = await resolve_by_rule(ctx, covered[:MOST_AT_ONCE], rule)
    return resolved, len(covered) - sum(outcome.error is None for outcome in resolved.outcomes)


async def dismiss_suggestion(ctx: Context, suggestion_id_: str) -> None:
    """Do not show a suggestion again, whatever its least confidence. The same again changes nothing.

    Raises NotFound.
    """
    ctx.require(Role.MANAGER)
    wanted = check_id(suggestion_id_)
    config = (await get_config(ctx)).config
    await _dismiss(ctx, await _suggested(ctx, config, wanted), ctx.services.now())


@unit_of_work
async def _dismiss(tx: Transaction, ctx: Context, suggestion: Suggestion, now: datetime) -> None:
    caller = ctx.require(Role.MANAGER)
    dismissal = DismissalRow(caller.organization_id, pattern_of(suggestion.rule), now, caller.user)
    if await insert_dismissal(tx, dismissal):
        rule = suggestion.rule.words(naming(ctx.services.registry.names))
        await note_change(tx, ctx, "rule.dismissed", suggestion.id, {"rule": rule})
