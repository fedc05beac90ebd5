"""Two ways to read all records of an organization: over the API, or directly from the database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx

from enrichment.enums import EntityType
from models.record.page import RecordFilter
from models.record.shown import ShownRecord
from resolvers.context import Context
from resolvers.paging import PageArgs, cursor_of
from resolvers.record.api import list_records
from service.records.senders import CannotSend

PAGE = 200
_QUERY = """
query Export($entityType: EntityType, $after: String) {
  records(filter: {entityType: $entityType}, first: 200, after: $after) {
    nodes { entityType externalId fields unreadable { field raw reason } completeness version lastEnrichedAt }
    pageInfo { hasNextPage endCursor }
  }
}
"""


async def read_from_database(ctx: Context, entity_type: EntityType | None) -> AsyncIterator[dict[str, Any]]:
    """Every record, newest first, a page at a time."""
    wanted = RecordFilter(entity_type=entity_type)
    after: str | None = None
    while True:
        page = await list_records(ctx, wanted, PageArgs(first=PAGE, after=after))
        for record in page.items:
            yield _shown(record)
        if not page.has_next:
            return
        after = cursor_of(page.items[-1].id, page.of)


async def read_from_api(client: httpx.AsyncClient, entity_type: EntityType | None) -> AsyncIterator[dict[str, Any]]:
    """The same from a running service. Raises CannotSend when it refuses."""
    after: str | None = None
    while True:
        variables = {"entityType": entity_type and entity_type.name, "after": after}
        try:
            response = await client.post("/graphql", json={"query": _QUERY, "variables": variables})
            answer = response.json()
        except (httpx.TransportError, ValueError) as error:
            raise CannotSend(f"{client.base_url}: {type(error).__name__}") from error
        if not isinstance(answer.get("data"), dict):
            message = (answer.get("errors") or [{}])[0].get("message") or answer.get("detail")
            raise CannotSend(f"{client.base_url}: {message or response.status_code}")
        records = answer["data"]["records"]
        for record in records["nodes"]:
            yield {**record, "entityType": record["entityType"].lower()}
        if not records["pageInfo"]["hasNextPage"]:
            return
        after = records["pageInfo"]["endCursor"]


def _shown(record: ShownRecord) -> dict[str, Any]:
    return {
        "entityType": record.entity_type.value,
        "externalId": record.external_id,
        "fields": record.fields,
        "unreadable": [{"field": name, **text} for name, text in (record.unreadable or {}).items()],
        "completeness": record.completeness,
        "version": record.version,
        "lastEnrichedAt": _moment(record.last_enriched_at),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
