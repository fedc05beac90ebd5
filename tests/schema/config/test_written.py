"""Faults of a configuration: where GraphQL's input has them, and in words of our own."""

from typing import Any

import pytest
from arq.connections import ArqRedis

from tests.support.factories import services
from tests.support.graphql_client import Operations

pytestmark = pytest.mark.usefixtures("db")

WRONG: dict[str, Any] = {
    "minConfidence": 3,
    "cooldownHours": -1,
    "credits": {"monthlyLimit": -1},
    "fieldPolicies": [
        {"entityType": "ACCOUNT", "default": {"policy": "REVIEW", "minConfidence": 2}},
        {
            "entityType": "LEAD",
            "fields": [
                {"field": "city", "policy": "REVIEW"},
                {"field": "nope", "policy": "REVIEW"},
                {"field": "title", "policy": "REVIEW", "minConfidence": 7},
            ],
        },
    ],
    "payFor": [
        {"entityType": "LEAD"},
        {"entityType": "ACCOUNT", "fields": ["industry", "zz"], "most": [{"field": "yy", "credits": 1}]},
    ],
    "rules": [{"entityType": "LEAD", "field": "zz", "action": "KEEP"}],
}


@pytest.mark.parametrize(
    "text",
    [
        "mutation($input: ConfigInput!) { updateConfig(input: $input) { version } }",
        "query($input: ConfigInput!) { simulateConfig(input: $input) { jobs } }",
    ],
)
async def test_faults_have_the_paths_of_the_input(redis: ArqRedis, text: str) -> None:
    refusal = await Operations(services(redis)).refusal(text, input=WRONG)
    assert refusal["code"] == "VALIDATION_FAILED"
    assert {fault["path"]: fault["message"] for fault in refusal["errors"]} == {
        "minConfidence": "must be at most 1",
        "cooldownHours": "must be at least 0",
        "credits.monthlyLimit": "must be at least 0",
        "fieldPolicies[0].default.minConfidence": "must be at most 1",
        "fieldPolicies[1].fields[1]": "no such field of a lead",
        "fieldPolicies[1].fields[2].minConfidence": "must be at most 1",
        "payFor[1].fields[1]": "no such field of an account",
        "payFor[1].most[0]": "no such field of an account",
        "rules[0].field": "no such field of a lead: zz",
    }
