"""Two organizations with data of every kind, which know nothing of each other. Their external ids are the same."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from arq.connections import ArqRedis

from models.db import connection
from models.db.statements import query
from resolvers.context import Services
from resolvers.secret_box import SecretBox
from tests.support.factories import StandIn, configure, context, services, work
from tests.support.graphql_client import Operations

OWN, OTHER = "plainorg", "quetzalorg"
WORD = "quetzal"  # in every text of OTHER's
RECORDS = 6
SHARED_ID = "S1"  # the CRM's id of a record of both
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_ID_TABLES = (
    *("record", "job", "conflict", "undo", "erasure", "suppression", "credit_entry", "field_value"),
    *("webhook_endpoint", "webhook_delivery"),
)


def shared_services(redis: ArqRedis) -> Services:
    """Services with a provider that knows the companies of both, and a clock that stands still."""
    words = (OWN.removesuffix("org"), WORD)
    knows = {f"{word}{n}.com": {"city": "Berlin", "industry": "Software"} for word in words for n in range(RECORDS)}
    shared = services(redis, StandIn(knows=knows, price=1, needs_key=True))
    moment = datetime.now(UTC)
    shared.now = lambda: moment
    shared.secret_box = SecretBox(b"m" * 32)
    return shared


async def fill(shared: Services, org: str) -> None:
    """Records, jobs, conflicts and decisions on them, credits, an undo, a suppression, an erasure, a key."""
    word = org.removesuffix("org")
    ctx = context(shared, org=org, user=f"{word}-user")
    await configure(ctx, cooldownHours=0)
    ask = Operations(shared, org=org)
    records = [_account(word, n) for n in range(RECORDS)]
    lead = {"entityType": "LEAD", "externalId": "L1", "fields": {"lastName": f"{word}person", "email": f"x@{word}.com"}}
    await ask("mutation ($r: [RecordInput!]!) { upsertRecords(records: $r) { results { index } } }", r=[*records, lead])
    await work(shared)
    open_ones = (await ask("{ conflicts(first: 100) { nodes { id job { id } } } }"))["conflicts"]["nodes"]
    taken = [conflict["id"] for conflict in open_ones[2:]]
    await ask(
        "mutation ($ids: [ID!]!) { resolveConflicts(ids: $ids, resolution: {action: ACCEPT_CANDIDATE}) { resolved } }",
        ids=taken,
    )
    await ask("mutation ($id: ID!) { undoJob(id: $id) { id } }", id=open_ones[0]["job"]["id"])
    await ask(
        """mutation ($w: String!) {
          grantCredits(amount: 5, note: $w, idempotencyKey: "1") { balance }
          suppress(emails: ["someone@nowhere.example"], note: $w) { added }
          eraseRecord(entityType: LEAD, externalId: "L1", reason: $w) { id }
          setProviderKey(provider: "standin", key: "a-key-of-somebody") { id }
          pausePipeline(reason: $w) { paused } resumePipeline { paused } }""",
        w=f"{word} note",
    )
    endpoint = await ask(
        "mutation ($u: String!) { createWebhookEndpoint(url: $u) { endpoint { id } } }", u=f"https://{word}.example/"
    )
    hook = endpoint["createWebhookEndpoint"]["endpoint"]["id"]
    await ask("mutation ($id: ID!) { testWebhookEndpoint(id: $id) { id } }", id=hook)


def _account(word: str, number: int) -> dict[str, Any]:
    fields = {"name": f"{word} company {number}", "domain": f"{word}{number}.com", "city": "Hamburg", "remark": word}
    return {"entityType": "ACCOUNT", "externalId": f"S{number}", "fields": fields}


@dataclass(frozen=True)
class Traces:
    """What tells of OTHER: its word, and the ids of its rows."""

    ids: frozenset[str]
    samples: Sequence[str]  # an id of each kind

    def found_in(self, text: str, *, sent: str = "") -> frozenset[str]:
        """What of it stands in a text, but for what was sent."""
        words = {WORD} if WORD in text.lower().replace(sent.lower() or "\0", "") else set()
        return (self.ids.intersection(_UUID.findall(text)) | words) - {sent}


async def traces() -> Traces:
    """What is stored of OTHER."""
    samples = []
    for table in _ID_TABLES:
        rows = await query(f"SELECT id FROM {table} WHERE organization_id = ? LIMIT 1", [OTHER])
        samples += [str(row["id"]) for row in rows]
    rows_text = " ".join(await rows_of(OTHER))
    return Traces(frozenset(_UUID.findall(rows_text)), samples)


async def rows_of(org: str) -> list[str]:
    """Every row of every table that names an organization, as text."""
    found = []
    for table in await _tables():
        rows = await query(f"SELECT * FROM {table} WHERE organization_id = ?", [org])
        found += [f"{table} {row}" for row in rows]
    return sorted(found)


async def _tables() -> list[str]:
    if connection.dialect() == "sqlite":
        names = [row["name"] for row in await query("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {name: {row["name"] for row in await query(f"PRAGMA table_info({name})")} for name in names}
        return [name for name in names if "organization_id" in columns[name]]
    sql = (
        "SELECT table_name FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND column_name = 'organization_id'"
    )
    return [row["table_name"] for row in await query(sql)]
