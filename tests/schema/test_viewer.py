"""Who asks and what they may do, and the fields that there are."""

import pytest
from arq.connections import ArqRedis

from enrichment.catalogue import fields_of, normalize
from enrichment.enums import EntityType
from resolvers.context import Role
from resolvers.permissions import Permission
from tests.support.factories import services
from tests.support.graphql_client import Operations

pytestmark = pytest.mark.usefixtures("db")

NOBODY = "00000000-0000-7000-8000-000000000000"
NEEDS = {
    Permission.READ: "{ jobs { nodes { id } } }",
    Permission.SEND_RECORDS: "mutation { upsertRecords(records: []) { created } }",
    Permission.ENRICH: "mutation { enrichRecords(selection: {entityType: LEAD, externalIds: []}) { queuedCount } }",
    Permission.HANDLE_JOBS: f'mutation {{ retryJob(id: "{NOBODY}") {{ id }} }}',
    Permission.RESOLVE_CONFLICTS: "mutation { resolveConflicts(ids: []) { resolved } }",
    Permission.SIMULATE: "{ simulateConfig(input: {}) { jobs } }",
    Permission.PAUSE: "mutation { pausePipeline { paused } }",
    Permission.CHANGE_CONFIG: "mutation { updateConfig(input: {}) { version } }",
    Permission.UNDO: f'mutation {{ undoJob(id: "{NOBODY}") {{ id }} }}',
    Permission.GRANT_CREDITS: 'mutation { grantCredits(amount: 1, idempotencyKey: "k") { balance } }',
    Permission.SUPPRESS: 'mutation { suppress(emails: ["a@x.com"]) { added } }',
    Permission.ERASE: "mutation { eraseRecords(entityType: LEAD, externalIds: []) { externalId } }",
    Permission.VERIFY_LEDGER: "{ verifyLedger { addsUp } }",
    Permission.MANAGE_KEYS: 'mutation { removeProviderKey(provider: "nobody") { id } }',
    Permission.MANAGE_WEBHOOKS: "{ webhookEndpoints { id } }",
}


@pytest.mark.parametrize("role", Role)
async def test_a_user_may_do_what_the_operations_allow(redis: ArqRedis, role: Role) -> None:
    ask = Operations(services(redis), role=role)
    allowed = [name for name, text in NEEDS.items() if "FORBIDDEN" not in await ask.codes(text)]
    viewer = (await ask("{ viewer { userId organizationId role may email tokenExpiresAt } }"))["viewer"]
    assert viewer == {
        "userId": "ann",
        "organizationId": "acme",
        "role": role.name,
        "may": [name.name for name in allowed],
        "email": None,
        "tokenExpiresAt": None,
    }


async def test_the_catalogue_has_every_field_with_what_a_form_needs(redis: ArqRedis) -> None:
    ask = Operations(services(redis), role=Role.VIEWER)
    text = """query($type: EntityType) { fieldCatalogue(entityType: $type) {
        name entityTypes type unit format values closed examples enrichable identifying partOf } }"""
    every = (await ask(text))["fieldCatalogue"]
    for kind in EntityType:
        mine = (await ask(text, type=kind.name))["fieldCatalogue"]
        assert [field["name"] for field in mine] == list(fields_of(kind))
        assert mine == [field for field in every if kind.name in field["entityTypes"]]
        for field in mine:
            assert [normalize(kind, field["name"], example) for example in field["examples"]] == field["examples"]
    by_name = {(field["name"], field["entityTypes"][0]): field for field in every}
    country, employees = by_name["country", "LEAD"], by_name["numberOfEmployees", "ACCOUNT"]
    assert (country["closed"], country["partOf"], "Germany" in country["values"]) == (True, "ADDRESS", True)
    assert (employees["type"], employees["unit"], employees["values"]) == ("WHOLE_NUMBER", "employees", None)
    assert not by_name["type", "ACCOUNT"]["enrichable"]
    assert await Operations(services(redis), role=None).code("{ viewer { userId } fieldCatalogue { name } }")
