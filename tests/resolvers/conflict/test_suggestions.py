"""Accepting a suggested rule settles what is open; dismissing it hides it.

One file, because the simulated reviewers serve every test.
"""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.config import ReviewRule, RuleAction
from enrichment.decide.merge import Candidate, Proposal
from enrichment.decide.rules import RuleDecision
from enrichment.enums import ConflictReason, ConflictStatus, EntityType, FieldUnit, ResolutionAction
from enrichment.learn.suggestions import Suggestion
from enrichment.words import source_name
from models.conflict.table import Conflict
from models.db.columns import new_id, to_micros
from models.db.rows import insert, projection
from models.db.statements import query
from models.db.transaction import unit_of_work
from models.record import FieldValue, Record
from resolvers.conflict.api import resolve_conflict
from resolvers.conflict.choice import Resolution
from resolvers.conflict.resolve_by_rule import settlement_by_rule
from resolvers.conflict.settle import settle_conflict
from resolvers.conflict.suggestions import (
    Accepted,
    RuleSuggestion,
    accept_suggestion,
    dismiss_suggestion,
    list_suggestions,
)
from resolvers.conflict.trust import trust_of
from resolvers.context import Role, Services
from resolvers.errors import ConflictAlreadyResolved, Forbidden, NotFound, StateConflict, VersionMismatch
from resolvers.job.enrich import RecordSelection, enrich_records
from resolvers.record.api import upsert_records
from tests.support.factories import Clock, StandIn, configure, context, send, services, work
from tests.support.graphql_client import Operations

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_a_suggestion_says_how_its_rule_would_have_done() -> None:
    rule = ReviewRule.model_validate(
        {"entityType": "contact", "field": "title", "provider": "apollo", "action": "accept"}
    )
    assert RuleSuggestion(Suggestion(rule, 50, 47, 20, 19), 31).text == (
        "Reviewers accepted Apollo's title 47 of 50 times. Make it a rule? It would settle 31 open conflicts, and would"
        " have been wrong 3 times, once in the newest 20, which it was not fitted on."
    )


TAKE = Resolution(ResolutionAction.ACCEPT_CANDIDATE)
LEAVE = Resolution(ResolutionAction.KEEP_CURRENT)


async def many(shared: Services, count: int, start: int = 0, org: str = "acme") -> list[Conflict]:
    """Conflicts about the cities of accounts, oldest first."""
    ctx = context(shared, org=org)
    for n in range(start, start + count):
        await send(ctx, "account", f"A{n}", domain=f"a{n}.com", city="Hamburg")
    await work(shared)
    return await Conflict.filter(organization_id=org, status=ConflictStatus.OPEN).order_by("id")


async def reviewed(shared: Services, count: int, wrong: int = 0) -> None:
    """A reviewer who accepts, but for the first `wrong`."""
    for n, conflict in enumerate(await many(shared, count)):
        await resolve_conflict(context(shared), conflict.id, LEAVE if n < wrong else TAKE)


def everywhere() -> StandIn:
    return StandIn(knows={f"a{n}.com": {"city": "Berlin"} for n in range(100)})


async def only(shared: Services) -> RuleSuggestion:
    (suggestion,) = await list_suggestions(context(shared, role=Role.VIEWER))
    return suggestion


async def accept(shared: Services, suggestion: RuleSuggestion, **options: Any) -> Accepted:
    return await accept_suggestion(context(shared, role=Role.MANAGER), suggestion.suggestion.id, **options)


def decision_of(conflict: Conflict, rule: ReviewRule) -> RuleDecision:
    stored = conflict.candidates[0]
    accepted = Candidate(stored["provider"], stored["value"], stored["confidence"], NOW)
    return RuleDecision(rule, Proposal(accepted.value, accepted.confidence, NOW, (accepted,)), ())


async def audited() -> list[str]:
    rows = await query("SELECT action FROM audit_entry WHERE organization_id = 'acme' ORDER BY number")
    return [row["action"] for row in rows]


@pytest.mark.usefixtures("db")
class TestAccepting:
    async def test_one_mutation_changes_the_config_and_settles_what_is_open(self, redis: ArqRedis) -> None:
        shared = services(redis, everywhere())
        run = Operations(shared, role=Role.MANAGER)
        await reviewed(shared, 24)
        waiting = await many(shared, 3, start=24)
        judged = (await trust_of(["acme"]))["acme"].of("standin", EntityType.ACCOUNT, "city")

        (shown,) = (await run("{ ruleSuggestions { id text seen wouldHaveBeenWrong settlesOpen rule { words } } }"))[
            "ruleSuggestions"
        ]
        assert (shown["seen"], shown["wouldHaveBeenWrong"], shown["settlesOpen"]) == (24, 0, 3)
        data = await run(
            """mutation ($id: ID!) { acceptRuleSuggestion(id: $id, expectedVersion: 1) {
                rule { words } remaining resolved config { version rules { field provider action } }
                results { id error { code } conflict { status resolution { rule resolvedBy value } } } } }""",
            id=shown["id"],
        )

        made = data["acceptRuleSuggestion"]
        assert made["config"] == {
            "version": 2, "rules": [{"field": "city", "provider": "standin", "action": "ACCEPT"}],
        }  # fmt: skip
        assert (made["resolved"], made["remaining"]) == (3, 0)
        assert {result["id"] for result in made["results"]} == {conflict.id for conflict in waiting}
        resolution = {"rule": "accept Standin's city of accounts", "resolvedBy": "ann", "value": {"city": "Berlin"}}
        assert all(result["conflict"] == {"status": "RESOLVED", "resolution": resolution} for result in made["results"])
        value = await FieldValue.get(record_id=waiting[0].record_id, field="city", replaced_at__isnull=True)
        assert (value.value, value.source, value.job_id) == ("Berlin", "standin", waiting[0].job_id)
        assert (await Record.get(id=waiting[0].record_id)).fields["city"] == "Berlin"
        lines = ["config.changed", "rule.accepted", "resolution.started", *["conflict.resolved"] * 3]
        assert (await audited())[-6:] == lines
        assert (await trust_of(["acme"]))["acme"].of("standin", EntityType.ACCOUNT, "city") == judged, (
            "what a rule decides is no decision of a reviewer"
        )
        assert (await run("{ ruleSuggestions { id } }"))["ruleSuggestions"] == []

    async def test_a_rule_that_keeps_settles_too_and_rejects_nothing(self, redis: ArqRedis) -> None:
        shared = services(redis, everywhere())
        await configure(context(shared), minConfidence=0.5)
        for conflict in await many(shared, 24):
            await resolve_conflict(context(shared), conflict.id, LEAVE)
        (waiting,) = await many(shared, 1, start=24)
        suggestion = await only(shared)
        assert suggestion.suggestion.rule.action is RuleAction.KEEP

        accepted = await accept(shared, suggestion)

        assert [outcome.error for outcome in accepted.outcomes] == [None]
        assert (await Record.get(id=waiting.record_id)).fields["city"] == "Hamburg"
        value = await FieldValue.get(record_id=waiting.record_id, field="city", replaced_at__isnull=True)
        assert value.source == "crm"
        assert not await query("SELECT id FROM rejection WHERE record_id = ?", [waiting.record_id])

    async def test_the_same_request_again_adds_nothing_and_goes_on_with_what_is_open(self, redis: ArqRedis) -> None:
        shared = services(redis, everywhere())
        await reviewed(shared, 24)
        suggestion = await only(shared)
        first = await accept(shared, suggestion, expected_version=1, apply_to_open=False)
        assert (first.config.version, first.outcomes) == (2, [])

        await configure(context(shared), rules=[])
        waiting = await many(shared, 2, start=24)
        await configure(context(shared), rules=[suggestion.suggestion.rule.model_dump(mode="json", by_alias=True)])
        again = await accept(shared, suggestion, expected_version=1)

        assert {outcome.id for outcome in again.outcomes} == {conflict.id for conflict in waiting}
        assert len(again.config.config.rules) == 1
        assert (await audited()).count("rule.accepted") == 1

    async def test_two_at_once_make_one_rule(self, redis: ArqRedis) -> None:
        shared = services(redis, everywhere())
        await reviewed(shared, 24)
        suggestion = await only(shared)
        both = await asyncio.gather(*(accept(shared, suggestion) for _ in range(2)))
        assert [len(accepted.config.config.rules) for accepted in both] == [1, 1]
        assert (await audited()).count("rule.accepted") == 1

    async def test_a_stale_version_and_a_suggestion_that_is_gone_are_refused(self, redis: ArqRedis) -> None:
        shared = services(redis, everywhere())
        await reviewed(shared, 24)
        suggestion = await only(shared)
        await configure(context(shared), cooldownHours=1)
        with pytest.raises(VersionMismatch):
            await accept(shared, suggestion, expected_version=1)
        with pytest.raises(NotFound):
            await accept_suggestion(context(shared), "00000000-0000-7000-8000-000000000000")
        with pytest.raises(NotFound):
            await accept_suggestion(context(shared, org="other"), suggestion.suggestion.id)
        with pytest.raises(Forbidden):
            await accept_suggestion(context(shared, role=Role.USER), suggestion.suggestion.id)
        assert await list_suggestions(context(shared, org="other")) == []

    async def test_what_a_person_settled_or_holds_is_left_and_reported(self, redis: ArqRedis) -> None:
        standin = everywhere()
        shared = services(redis, standin)
        ctx = context(shared)
        await configure(ctx, cooldownHours=0)
        await reviewed(shared, 24)
        (mine,) = await many(shared, 1, start=24)
        await resolve_conflict(ctx, mine.id, Resolution(ResolutionAction.CUSTOM_VALUE, value="Bremen"))
        standin.knows = {"a24.com": {"city": "Munich"}}
        await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT, ("A24",)), force=True)
        await work(shared)
        assert (await Conflict.get(status=ConflictStatus.OPEN)).record_id == mine.record_id

        suggestion = await only(shared)
        assert suggestion.settles_open == 0
        assert (await accept(shared, suggestion)).outcomes == []
        assert (await Record.get(id=mine.record_id)).fields["city"] == "Bremen"

    async def test_a_person_or_a_newer_answer_is_faster_than_the_rule(self, redis: ArqRedis) -> None:
        standin = everywhere()
        shared = services(redis, standin)
        ctx = context(shared)
        await configure(ctx, cooldownHours=0)
        first, second = await many(shared, 2)
        rule = ReviewRule.model_validate({"entityType": "account", "field": "city", "action": "accept"})
        decisions = [decision_of(conflict, rule) for conflict in (first, second)]
        await resolve_conflict(ctx, first.id, LEAVE)
        name = (await Record.get(id=second.record_id)).external_id
        standin.knows = {f"{name.lower()}.com": {"city": "Munich"}}
        await enrich_records(ctx, RecordSelection(EntityType.ACCOUNT, (name,)), force=True)
        await work(shared)

        async def by_rule(conflict: Conflict, decision: RuleDecision) -> None:
            settlement = settlement_by_rule(conflict, decision, source_name, "ann", shared.now())
            await settle_conflict(shared, conflict, settlement)

        with pytest.raises(ConflictAlreadyResolved):
            await by_rule(first, decisions[0])
        with pytest.raises(StateConflict, match="changed"):
            await by_rule(second, decisions[1])
        assert {record.fields["city"] for record in await Record.all()} == {"Hamburg"}
        assert (await Conflict.get(id=second.id)).status is ConflictStatus.OPEN

    async def test_a_rule_settles_nothing_by_what_was_seen_before_the_current_value(self, redis: ArqRedis) -> None:
        shared = services(redis, everywhere())
        ctx = context(shared)
        await reviewed(shared, 24)
        await many(shared, 2, start=24)
        later = (shared.now() + timedelta(seconds=1)).isoformat()
        record = {"entityType": "account", "externalId": "A24", "fields": {"city": "Hamburg"}, "observedAt": later}
        await asyncio.sleep(1.1)
        await upsert_records(ctx, [record])

        suggestion = await only(shared)
        assert suggestion.settles_open == 1
        accepted = await accept(shared, suggestion)
        assert ([outcome.error for outcome in accepted.outcomes], accepted.remaining) == ([None], 0)
        cities = {record.external_id: record.fields["city"] for record in await Record.all()}
        assert (cities["A24"], cities["A25"]) == ("Hamburg", "Berlin")

    async def test_a_rule_settles_nothing_by_what_has_aged_below_the_minimum(self, redis: ArqRedis) -> None:
        clock = Clock()
        shared = services(redis, everywhere(), now=clock)
        await reviewed(shared, 24)
        await many(shared, 1, start=24)
        clock.ahead_seconds += 9000 * 86400  # of 0.90 less than 0.60 is left
        await many(shared, 1, start=25)
        suggestion = await only(shared)
        assert suggestion.settles_open == 1
        await accept(shared, suggestion)
        cities = {record.external_id: record.fields["city"] for record in await Record.all()}
        assert (cities["A24"], cities["A25"]) == ("Hamburg", "Berlin")

    async def test_a_dismissed_suggestion_is_not_shown_again(self, redis: ArqRedis) -> None:
        shared = services(redis, everywhere())
        await reviewed(shared, 24)
        suggestion = await only(shared)
        with pytest.raises(Forbidden):
            await dismiss_suggestion(context(shared, role=Role.USER), suggestion.suggestion.id)
        run = Operations(shared, role=Role.MANAGER)
        for _ in range(2):
            data = await run("mutation ($id: ID!) { dismissRuleSuggestion(id: $id) }", id=suggestion.suggestion.id)
            assert data == {"dismissRuleSuggestion": True}
        assert await list_suggestions(context(shared)) == []
        assert (await audited()).count("rule.dismissed") == 1

    async def test_a_provider_that_is_gone_is_not_suggested(self, redis: ArqRedis) -> None:
        shared = services(redis, everywhere())
        await reviewed(shared, 24)
        assert await list_suggestions(context(services(redis, StandIn(id="other")))) == []


@pytest.mark.usefixtures("db")
@pytest.mark.either_store
async def test_a_reviewer_at_work_teaches_trust_and_a_rule(redis: ArqRedis) -> None:
    """Day after day: records come, two providers contradict the CRM, a reviewer decides by a habit with 5 % noise."""
    rng = random.Random(11)  # noqa: S311 -- a simulation that must be the same every time
    names = [f"a{n}.com" for n in range(160)]
    stated = {name: ("Berlin", round(rng.uniform(0.75, 0.97), 2)) for name in names}
    undecided = {name: rng.random() < 0.5 for name in names}
    mistakes = {name for name in names if rng.random() < 0.05}
    north = StandIn(id="north", knows={name: {"city": stated[name]} for name in names[::2]})
    south = StandIn(id="south", knows={name: {"city": stated[name]} for name in names[1::2]})
    shared = services(redis, north, south)
    counted: Counter[tuple[str, bool]] = Counter()
    for day in range(4):
        for conflict in await many(shared, 40, start=day * 40):
            provider = conflict.candidates[0]["provider"]
            name = (await Record.get(id=conflict.record_id)).fields["domain"]
            accepted = (provider == "north" or undecided[name]) != (name in mistakes)
            await resolve_conflict(context(shared), conflict.id, TAKE if accepted else LEAVE)
            counted[provider, accepted] += 1

    suggestion = await only(shared)
    assert (suggestion.suggestion.rule.action, suggestion.suggestion.rule.provider) == (RuleAction.ACCEPT, "north")
    assert (suggestion.suggestion.seen, suggestion.suggestion.agreed) == (80, counted["north", True])
    trust = (await trust_of(["acme"]))["acme"]
    for provider in ("north", "south"):
        learned = trust.of(provider, EntityType.ACCOUNT, "city")
        assert (learned.accepted, learned.rejected) == (counted[provider, True], counted[provider, False])
    assert trust.of("north", EntityType.ACCOUNT, "city").believe(0.8) > 0.8
    assert trust.of("south", EntityType.ACCOUNT, "city").believe(0.8) < 0.8

    node = "query($id: ID!) { node(id: $id) { __typename id } }"
    found = await Operations(shared)(node, id=suggestion.suggestion.id)
    assert found["node"] == {"__typename": "RuleSuggestion", "id": suggestion.suggestion.id}


@projection(Conflict)
class ConflictCopy:
    """A resolved conflict."""

    id: str
    organization_id: str
    record_id: str
    job_id: str
    entity_type: EntityType
    field: str
    unit: FieldUnit | None
    part_names: str | None
    reason: ConflictReason
    status: ConflictStatus
    current: dict[str, Any] | None
    candidates: list[dict[str, Any]]
    resolution: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    resolved_at: int


@pytest.mark.usefixtures("db")
async def test_a_long_history_is_answered_at_once_from_its_newest_part(redis: ArqRedis) -> None:
    shared = services(redis, everywhere())
    (first,) = await many(shared, 1)
    await resolve_conflict(context(shared), first.id, LEAVE)
    await first.refresh_from_db()
    given = {name: getattr(first, name) for name in ConflictCopy.__annotations__}
    given["resolution"] = {
        "action": "accept_candidate", "candidateId": first.candidates[0]["id"], "value": {"city": "Berlin"},
        "parts": [{"field": "city", "action": "accept_candidate", "candidateId": None, "value": "Berlin"}],
        "note": None, "resolvedBy": "ann", "resolvedAt": "2026-11-24T00:00:00Z",
    }  # fmt: skip
    moment = to_micros(datetime.now(UTC))
    for chunk in range(2):
        moments = range(moment + chunk * 10_000, moment + (chunk + 1) * 10_000)
        copies = [ConflictCopy(**given | {"id": new_id(), "resolved_at": at}) for at in moments]
        await unit_of_work(insert)(copies)

    suggestion = await only(shared)
    # Of 20,000 decisions: what is read is bounded, whatever the history.
    assert (suggestion.suggestion.seen, suggestion.suggestion.agreed) == (5000, 5000)
