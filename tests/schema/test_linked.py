"""What belongs to an object beside the ids it shows, and figures that are easily read, on both interfaces."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from arq.connections import ArqRedis

from resolvers.context import Services
from tests.support.factories import StandIn, context, send, services, work
from tests.support.graphql_client import Operations
from tests.support.rest_client import Rest
from tests.support.statements import counted_statements

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
async def shared(redis: ArqRedis) -> Services:
    """An account that was enriched with a confidence of many digits, with a conflict."""
    knows = {"acme.com": {"industry": ("Software", 0.7654321), "country": ("France", 0.7654321)}}
    made = services(redis, StandIn(knows=knows, price=2))
    await send(context(made), "account", "A1", name="Acme", domain="acme.com", country="Germany")
    await work(made)
    return made


async def test_a_record_is_found_by_its_id(shared: Services) -> None:
    ask = Operations(shared)
    text = "query($type: EntityType, $external: ID, $id: ID) {"
    text += " record(entityType: $type, externalId: $external, id: $id) { id displayName completeness } }"
    by_name = (await ask(text, type="ACCOUNT", external="A1"))["record"]
    assert (await ask(text, id=by_name["id"]))["record"] == by_name
    assert by_name["displayName"] == "Acme"
    assert await ask.code(text, id="00000000-0000-7000-8000-000000000000") == "NOT_FOUND"
    assert await Operations(shared, org="other").code(text, id=by_name["id"]) == "NOT_FOUND"
    for given in ({}, {"type": "ACCOUNT"}, {"id": by_name["id"], "external": "A1"}, {"id": "?"}):
        assert await ask.code(text, **given) == "BAD_REQUEST"


async def test_a_job_counts_how_its_fields_ended(shared: Services) -> None:
    reasons = "written same verified protected belowThreshold conflict noData skipped error"
    text = f"{{ jobs {{ nodes {{ fieldOutcomes {{ field }} counts {{ fields {reasons} }} }} }} }}"
    [job] = (await Operations(shared)(text))["jobs"]["nodes"]
    counts = job["counts"]
    assert (counts["written"], counts["conflict"]) == (1, 1)
    assert counts["fields"] == len(job["fieldOutcomes"]) == sum(counts[reason] for reason in reasons.split())


async def test_what_an_id_names_stands_beside_it(shared: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = Operations(shared)
    [job] = (await ask("{ jobs { nodes { id record { id } } } }"))["jobs"]["nodes"]
    await ask("mutation($id: ID!) { undoJob(id: $id) { id } }", id=job["id"])
    [undo] = (await ask("{ undos { nodes { id } } }"))["undos"]["nodes"]
    await ask("mutation($id: ID!) { revertUndo(id: $id) { id } }", id=undo["id"])
    text = """{ credits { entries { nodes { jobId job { id } recordId record { id } } } }
        records { nodes { history { nodes { jobId job { id status } } } } }
        undos { nodes { id jobId job { id } undoes undone { id } revertedBy reverts { id } } }
        explain(entityType: ACCOUNT, externalId: "A1", field: "industry") { jobId job { id }
            lastOutcome { jobId job { id } } proposals { jobId job { id } } } }"""
    with counted_statements(monkeypatch) as statements:
        data = await ask(text)
    linked = list(links(data))
    assert {name for name, _, there in linked if there} == {"job", "record", "undone", "reverts"}
    assert all(there == known for _, known, there in linked)
    assert sum(" FROM job " in text and "job.status" in text for text in statements.texts) <= 1, "one for all values"


def links(value: Any) -> Iterator[tuple[str, Any, Any]]:
    """Each link with the id that stands beside it, and the id of what is linked."""
    beside = {"job": "jobId", "record": "recordId", "undone": "undoes", "reverts": "revertedBy"}
    for inner in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
        yield from links(inner)
    for name, known in beside.items():
        if isinstance(value, dict) and known in value:
            there = value[name]
            ids = [item["id"] for item in there] if isinstance(there, list) else there and there["id"]
            yield name, value[known], ids


async def test_confidences_have_three_digits_in_every_answer(shared: Services) -> None:
    ask, rest = Operations(shared), Rest(shared)
    value = "field confidence"
    data = await ask(
        f"""{{ records {{ nodes {{ provenance {{ {value} }} history {{ nodes {{ confidence }} }} }} }}
        jobs {{ nodes {{ fieldOutcomes {{ confidence }} }} }}
        conflicts {{ nodes {{ current {{ confidence }} candidates {{ confidence statedConfidence }} }} }}
        explain(entityType: ACCOUNT, externalId: "A1", field: "industry") {{
            confidence lastOutcome {{ confidence }} proposals {{ confidence }} }} }}"""
    )
    answers = [
        await rest.get(path)
        for path in (
            "/jobs?entityType=all&status=all",
            "/conflicts",
            "/records/account/A1?history=true",
            "/records/account/A1/explain?field=industry",
        )
    ]
    shown = [*confidences(data), *(found for answer in answers for found in confidences(json.loads(answer.content)))]
    assert shown.count(0.765) >= 8
    assert all(confidence == round(confidence, 3) for confidence in shown)


def confidences(value: Any) -> Iterator[float]:
    for key, inner in value.items() if isinstance(value, dict) else ():
        if key in {"confidence", "statedConfidence"} and inner is not None:
            yield inner
    for inner in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
        yield from confidences(inner)
