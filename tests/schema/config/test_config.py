"""Changing the configuration over GraphQL."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from resolvers.context import Role
from tests.support.factories import StandIn, services
from tests.support.graphql_client import Operations

pytestmark = pytest.mark.usefixtures("db")


CONFIGURE = """mutation ($input: ConfigInput!, $expected: Int) {
    updateConfig(input: $input, expectedVersion: $expected) {
    version enabled strategy minConfidence cooldownHours maxAttempts maybeCharged
    triggers { onCreate onUpdate refreshAfterDays } refresh { creditBudget minFreshness maxPerDay }
    entityTypes { lead contact account } providers { id enabled minMatchRate matchRateOver }
    fieldPolicies { entityType default { policy minConfidence } fields { field policy minConfidence } }
    credits { monthlyLimit dailyLimit perRecordMax alertThresholds } backoff { initialSeconds maxSeconds }
    payFor { entityType fields most { field credits } } } }"""


@pytest.fixture
def ask(redis: ArqRedis) -> Operations:
    return Operations(services(redis, StandIn()), role=Role.MANAGER)


@pytest.mark.parametrize(
    ("key", "given", "wanted"),
    [
        ("enabled", False, False),
        ("strategy", "CONSENSUS", "CONSENSUS"),
        ("minConfidence", 0.75, 0.75),
        ("minConfidence", 1, 1.0),
        ("cooldownHours", 0, 0),
        ("triggers", {"refreshAfterDays": 30}, {"onCreate": True, "onUpdate": True, "refreshAfterDays": 30}),
        (
            "refresh",
            {"creditBudget": 100, "minFreshness": 0.5},
            {"creditBudget": 100, "minFreshness": 0.5, "maxPerDay": None},
        ),
        ("entityTypes", {"lead": False}, {"lead": False, "contact": True, "account": True}),
        ("maybeCharged", "RETRY", "RETRY"),
        (
            "providers",
            [{"id": "standin", "enabled": False}],
            [{"id": "standin", "enabled": False, "minMatchRate": None, "matchRateOver": 50}],
        ),
        (
            "providers",
            [{"id": "standin", "minMatchRate": 0.2, "matchRateOver": 100}],
            [{"id": "standin", "enabled": True, "minMatchRate": 0.2, "matchRateOver": 100}],
        ),
        (
            "credits",
            {"dailyLimit": 10, "alertThresholds": [0.5]},
            {"monthlyLimit": None, "dailyLimit": 10, "perRecordMax": None, "alertThresholds": [0.5]},
        ),
        ("backoff", {"initialSeconds": 5}, {"initialSeconds": 5, "maxSeconds": 3600}),
    ],
)
async def test_only_the_given_keys_change(ask: Operations, key: str, given: Any, wanted: Any) -> None:
    before = (await ask(CONFIGURE, input={}))["updateConfig"]
    after = (await ask(CONFIGURE, input={key: given}))["updateConfig"]
    assert after == {**before, key: wanted, "version": 2}


async def test_a_limit_is_taken_away_with_null(ask: Operations) -> None:
    await ask(CONFIGURE, input={"credits": {"monthlyLimit": 10, "dailyLimit": 5}})
    credits = (await ask(CONFIGURE, input={"credits": {"monthlyLimit": None}}))["updateConfig"]["credits"]
    assert (credits["monthlyLimit"], credits["dailyLimit"]) == (None, 5)


async def test_what_may_cost_credits_changes_by_entity_type_and_by_field(ask: Operations) -> None:
    async def change(*pay_for: dict[str, Any]) -> dict[str, Any]:
        shown = (await ask(CONFIGURE, input={"payFor": list(pay_for)}))["updateConfig"]["payFor"]
        return {rules["entityType"]: rules for rules in shown}

    before = await change()
    assert "title" in before["LEAD"]["fields"] and "avatarUrl" not in before["LEAD"]["fields"]
    phone = {"field": "mobilePhone", "credits": 5}
    shown = await change({"entityType": "LEAD", "fields": ["title", "mobilePhone"], "most": [phone]})
    assert shown["LEAD"] == {"entityType": "LEAD", "fields": ["title", "mobilePhone"], "most": [phone]}
    assert shown["CONTACT"] == before["CONTACT"]
    shown = await change({"entityType": "LEAD", "most": [{"field": "title", "credits": 1}]})
    assert shown["LEAD"]["most"] == [phone, {"field": "title", "credits": 1}]
    shown = await change({"entityType": "LEAD", "fields": None, "most": [{"field": "mobilePhone", "credits": None}]})
    assert shown["LEAD"] == {"entityType": "LEAD", "fields": None, "most": [{"field": "title", "credits": 1}]}


async def test_the_rules_of_fields_change_one_by_one(ask: Operations) -> None:
    async def change(*policies: dict[str, Any]) -> dict[str, Any]:
        shown = (await ask(CONFIGURE, input={"fieldPolicies": list(policies)}))["updateConfig"]["fieldPolicies"]
        return {rules["entityType"]: rules for rules in shown}

    industry = {"field": "industry", "policy": "TRACKED", "minConfidence": 0.7}
    phone = {"field": "phone", "policy": "NEVER", "minConfidence": None}
    shown = await change({"entityType": "ACCOUNT", "default": {"policy": "FILL_EMPTY"}, "fields": [industry]})
    assert shown["ACCOUNT"]["default"] == {"policy": "FILL_EMPTY", "minConfidence": None}
    assert shown["ACCOUNT"]["fields"] == [industry]
    assert shown["LEAD"]["default"]["policy"] == "REVIEW"
    shown = await change(
        {"entityType": "ACCOUNT", "fields": [{"field": "phone", "policy": "NEVER"}]},
        {"entityType": "LEAD", "default": {"policy": "TRACKED", "minConfidence": 0.9}},
    )
    assert shown["ACCOUNT"]["fields"] == [industry, phone]
    assert shown["LEAD"]["default"] == {"policy": "TRACKED", "minConfidence": 0.9}
    shown = await change({"entityType": "ACCOUNT", "fields": [{"field": "industry", "minConfidence": None}]})
    assert shown["ACCOUNT"]["fields"] == [{**industry, "minConfidence": None}, phone]
    shown = await change({"entityType": "ACCOUNT", "fields": [{"field": "industry", "policy": None}]})
    assert shown["ACCOUNT"]["fields"] == [phone]


async def test_every_fault_of_a_configuration_is_named_and_nothing_changes(ask: Operations) -> None:
    wrong = {
        "minConfidence": 2,
        "enabled": None,
        "providers": [{"id": "nobody"}],
        "fieldPolicies": [{"entityType": "LEAD", "fields": [{"field": "shoeSize", "policy": "NEVER"}]}],
        "cooldownHours": 3,
    }
    refusal = await ask.refusal(CONFIGURE, input=wrong)
    assert refusal["code"] == "VALIDATION_FAILED"
    paths = {fault["path"] for fault in refusal["errors"]}
    assert {"minConfidence", "enabled", "fieldPolicies[0].fields[0]"} <= paths
    assert (await ask(CONFIGURE, input={}))["updateConfig"]["version"] == 1


async def test_a_stale_change_of_the_configuration_is_refused(ask: Operations) -> None:
    await ask(CONFIGURE, input={"enabled": False}, expected=1)
    refusal = await ask.refusal(CONFIGURE, input={"enabled": True}, expected=1)
    assert (refusal["code"], refusal["version"]) == ("VERSION_MISMATCH", 2)
