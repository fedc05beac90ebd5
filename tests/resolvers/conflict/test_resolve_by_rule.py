"""Rules of the organization settle new conflicts, and are set and shown over both interfaces."""

from datetime import UTC, datetime

import pytest
from arq.connections import ArqRedis

from enrichment.config import ReviewRule
from enrichment.decide.merge import Candidate, Proposal
from enrichment.decide.rules import RuleDecision
from enrichment.enums import ConflictStatus, ResolutionAction
from enrichment.words import source_name
from models.conflict.table import Conflict
from models.record import FieldValue, Record
from resolvers.conflict.api import resolve_conflict
from resolvers.conflict.choice import Resolution
from resolvers.conflict.resolve_by_rule import settlement_by_rule
from resolvers.conflict.settle import settle_conflict
from resolvers.context import Role
from resolvers.errors import StateConflict
from tests.support.factories import StandIn, configure, context, job_of, send, services, work
from tests.support.graphql_client import Operations
from tests.support.rest_client import Rest, fault_paths

NOW = datetime(2026, 11, 24, tzinfo=UTC)
CITY_RULE = {"entityType": "account", "field": "city", "provider": "standin", "action": "accept"}


@pytest.mark.usefixtures("db")
async def test_a_rule_settles_what_arrives_but_never_a_reviewers_choice(redis: ArqRedis) -> None:
    standin = StandIn(knows={"acme.com": {"city": "Berlin"}})
    shared = services(redis, standin)
    ctx = context(shared)
    await send(ctx, "account", "A1", domain="acme.com", city="Hamburg")
    await work(shared)
    conflict = await Conflict.get()
    await resolve_conflict(ctx, conflict.id, Resolution(ResolutionAction.CUSTOM_VALUE, value="Bremen"))
    await configure(ctx, rules=[CITY_RULE])
    standin.knows = {"acme.com": {"city": "Munich"}}

    await send(ctx, "account", "A1", phone="+49 30 901820")
    settled = await send(ctx, "account", "A2", domain="acme.com", city="Hamburg")
    await configure(ctx, cooldownHours=0)
    await work(shared)

    records = {record.external_id: record for record in await Record.all()}
    cities = {name: record.fields["city"] for name, record in records.items()}
    assert cities == {"A1": "Bremen", "A2": "Munich"}
    value = await FieldValue.get(record_id=records["A2"].id, field="city", replaced_at__isnull=True)
    assert (value.source, value.confidence < 0.9) == ("standin", True)
    outcome = next(outcome for outcome in (await job_of(settled)).outcomes if outcome["field"] == "city")
    assert outcome["detail"] == "by the rule: accept Standin's city of accounts"
    assert (await Conflict.get(status=ConflictStatus.OPEN)).candidates[0]["value"] == {"city": "Munich"}


@pytest.mark.usefixtures("db")
async def test_an_open_conflict_about_a_reviewers_value_is_settled_by_no_rule(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(knows={"acme.com": {"city": "Berlin"}}))
    await send(context(shared), "account", "A1", domain="acme.com", city="Hamburg")
    await work(shared)
    conflict = await Conflict.get()
    await FieldValue.filter(record_id=conflict.record_id, field="city").update(source="reviewer")
    accepted = Proposal("Berlin", 0.9, NOW, (Candidate("standin", "Berlin", 0.9, NOW),))
    decision = RuleDecision(ReviewRule.model_validate(CITY_RULE), accepted, ())

    settlement = settlement_by_rule(conflict, decision, source_name, "ann", shared.now())
    with pytest.raises(StateConflict, match="reviewer"):
        await settle_conflict(shared, conflict, settlement)
    assert (await Conflict.get()).status is ConflictStatus.OPEN
    assert (await Record.get()).fields["city"] == "Hamburg"


@pytest.mark.usefixtures("db")
async def test_rules_are_set_and_shown_over_both_interfaces(redis: ArqRedis) -> None:
    shared = services(redis, StandIn())
    rest, run = Rest(shared), Operations(shared)
    answer = await rest("PATCH", "/config", json={"rules": [CITY_RULE]}, role=Role.MANAGER)
    assert answer.json()["rules"] == [{**CITY_RULE, "minConfidence": None}]
    refused = await rest("PATCH", "/config", json={"rules": [{**CITY_RULE, "field": "salary"}]})
    assert fault_paths(refused) == ["rules[0].field"]
    assert (await rest("PATCH", "/config", json={"enabled": False})).json()["rules"] == answer.json()["rules"]

    data = await run(
        """mutation ($rules: [ReviewRuleInput!]) { updateConfig(input: {rules: $rules}) {
            rules { entityType field provider action minConfidence words } } }""",
        rules=[{"entityType": "LEAD", "field": "title", "action": "KEEP", "minConfidence": 0.5}],
    )
    assert data["updateConfig"]["rules"] == [
        {
            "entityType": "LEAD", "field": "title", "provider": None, "action": "KEEP", "minConfidence": 0.5,
            "words": "keep the title of leads against any provider from confidence 0.50 on",
        }
    ]  # fmt: skip
