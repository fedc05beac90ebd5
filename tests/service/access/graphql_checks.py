"""What each field of the schema must keep to, as lists of what is wrong: nothing, where all is well."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any

from resolvers.context import Caller, Role, Services
from schema.base.context import GraphQLContext
from schema.root import ApiSchema
from tests.service.access.declared import SHOW_NOTHING
from tests.service.access.documents import UNKNOWN_ID, Call, as_text, calls_of, unknown
from tests.service.access.organizations import OTHER, OWN, SHARED_ID, Traces, fill, rows_of, traces
from tests.support.waiting import until

TEXTS = {
    "externalId": SHARED_ID,
    "externalIds": SHARED_ID,
    "field": "city",
    "provider": "standin",
    "entityType": "account",
    "status": "completed",
}
NOBODY: tuple[Role | None, ...] = (None, *Role)


def known_texts(name: str) -> str:
    """A text for an argument that fits what both organizations hold; an id that nobody has."""
    return TEXTS.get(name) or unknown(name)


def fields_of(schema: ApiSchema) -> set[str]:
    """The fields of the three roots."""
    core = schema._schema
    roots = (core.query_type, core.mutation_type, core.subscription_type)
    return {f"{root.name}.{name}" for root in roots if root is not None for name in root.fields}


async def wrongly_answered(
    schema: ApiSchema, shared: Services, declared: Mapping[str, Role]
) -> list[tuple[str, Role | None, set[str]]]:
    """Fields that a role gets which may not, or does not get which may; with the codes of the answer."""
    wrong = []
    for call in calls_of(schema._schema):
        for role in NOBODY:
            caller = None if role is None else Caller(OWN, "ann", role)
            codes = await _codes(schema, GraphQLContext(shared, caller), call)
            needed = declared[call.field]
            if role is None:
                is_right = codes == {"UNAUTHENTICATED"}
            else:
                is_right = (codes == {"FORBIDDEN"}) != role.covers(needed) and "INTERNAL" not in codes
            if not is_right:
                wrong.append((call.field, role, codes))
    return wrong


async def _codes(schema: ApiSchema, context: GraphQLContext, call: Call) -> set[str]:
    if not call.field.startswith("Subscription."):
        result = await schema.execute(call.document, dict(call.variables), context)
    else:
        async with aclosing(await schema.stream(call.document, dict(call.variables), context)) as results:
            first = asyncio.ensure_future(anext(results))
            watching = context.services.events.watching
            await until(lambda: first.done() or context.services.events.watching > watching)
            if not first.done():  # it was let in, and waits for something to happen
                first.cancel()
                await asyncio.gather(first, return_exceptions=True)
                return set()
            result = first.result()
    return {(error.extensions or {})["code"] for error in result.errors or ()}


async def interference(schema: ApiSchema, shared: Services, *, only: str = "") -> dict[str, Any]:
    """Fields that OWN's admin is answered otherwise once OTHER has data, or by which OWN changes rows of OTHER.

    `only`: those with this in their name. Both have records with the same external ids. Also named is a field that
    shows OTHER nothing of its own, unless it is one of SHOW_NOTHING: about such a field all this would say nothing.
    """
    await fill(shared, OWN)
    calls = [call for call in _calls(schema) if only in call.field]
    queries = [call for call in calls if call.field.startswith("Query.")]
    before = [await _answer(schema, shared, OWN, call) for call in queries]
    await fill(shared, OTHER)
    of_other = await traces()
    wrong: dict[str, Any] = {}
    for call, first in zip(queries, before, strict=True):
        for sample in _ids(call, of_other):
            answer = await _answer(schema, shared, OWN, with_id(call, sample))
            if answer.replace(sample, UNKNOWN_ID) != first or of_other.found_in(answer, sent=sample):
                wrong[call.field] = answer
    shown = {call.field for call in queries if await _shows(schema, shared, call, of_other)}
    wrong |= dict.fromkeys({call.field for call in queries} - shown - SHOW_NOTHING.keys(), "shows nothing")
    rows = await rows_of(OTHER)
    for call in [call for call in calls if call.field.startswith("Mutation.")]:
        answers = [await _answer(schema, shared, OWN, with_id(call, sample)) for sample in of_other.samples]
        seen = [
            answer
            for answer, sample in zip(answers, of_other.samples, strict=True)
            if of_other.found_in(answer, sent=sample)
        ]
        if seen or await rows_of(OTHER) != rows:
            wrong[call.field] = seen or "changed"
            rows = await rows_of(OTHER)
    return wrong


def _calls(schema: ApiSchema) -> list[Call]:
    """Every field with few arguments and with all, but for the one that says where in the log one is."""
    calls = [*calls_of(schema._schema, known_texts), *calls_of(schema._schema, known_texts, every=True)]
    return [call for call in calls if call.field != "Query.eventCursor"]


def _ids(call: Call, of_other: Traces) -> Sequence[str]:
    """The ids to try in the place of an unknown one."""
    return of_other.samples if UNKNOWN_ID in as_text(call.variables) else [UNKNOWN_ID]


def with_id(call: Call, sample: str) -> Call:
    """The call with this id in the place of an unknown one."""

    def replaced(value: Any) -> Any:
        if isinstance(value, list):
            return [replaced(part) for part in value]
        if isinstance(value, dict):
            return {name: replaced(part) for name, part in value.items()}
        return sample if value == UNKNOWN_ID else value

    return Call(call.field, call.document, replaced(dict(call.variables)))


async def _answer(schema: ApiSchema, shared: Services, org: str, call: Call) -> str:
    context = GraphQLContext(shared, Caller(org, "ann", Role.ADMIN))
    result = await schema.execute(call.document, dict(call.variables), context)
    return as_text([result.data, sorted((error.message, str(error.extensions)) for error in result.errors or ())])


async def _shows(schema: ApiSchema, shared: Services, call: Call, of_other: Traces) -> bool:
    for sample in _ids(call, of_other):
        if of_other.found_in(await _answer(schema, shared, OTHER, with_id(call, sample)), sent=sample):
            return True
    return False
