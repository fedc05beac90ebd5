"""Whatever Apollo, People Data Labs and Hunter answer, their adapters answer or raise ProviderError."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment.catalogue import Refused, normalize
from providers.api import Answer, Pending, ProviderError
from providers.apollo.adapter import Apollo
from providers.http.adapter import Adapter, Reply
from providers.hunter.adapter import Hunter
from providers.peopledatalabs.adapter import PeopleDataLabs
from tests.providers.test_odd_companies import ODD, Told, outcome, paths, replaced
from tests.support.fake_http import account, body_of, lead

MARA = lead(email="mara.lindqvist@example.com", company="Example Robotics")
BY_NAME = lead(firstName="Mara", lastName="Lindqvist", company="Example Robotics")
EXAMPLE = account(domain="example.com", name="Example Robotics")
CASES: list[tuple[Adapter, Any, str, str]] = [
    (Apollo(), MARA, "apollo", "person_found"),
    (Apollo(phones=True), lead("mobilePhone", email="mara.lindqvist@example.com"), "apollo", "person_found"),
    (Apollo(), BY_NAME, "apollo", "person_found"),
    (Apollo(), EXAMPLE, "apollo", "company_found"),
    (PeopleDataLabs(), MARA, "peopledatalabs", "person_found"),
    (PeopleDataLabs(), BY_NAME, "peopledatalabs", "person_found"),
    (PeopleDataLabs(), EXAMPLE, "peopledatalabs", "company_found"),
    (Hunter(), MARA, "hunter", "person_found"),
    (Hunter(), EXAMPLE, "hunter", "company_found"),
]
STATUSES = [200, 200, 200, 202, 204, 302, 400, 401, 402, 403, 404, 410, 422, 429, 451, 500, 599]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[2]}-{case[3]}")
@given(data=st.data())
async def test_odd_values_are_no_crash_and_what_is_found_can_be_stored(case: Any, data: st.DataObject) -> None:
    adapter, question, provider, name = case
    body = body_of(provider, name)
    for _ in range(data.draw(st.integers(1, 3))):
        body = replaced(body, data.draw(st.sampled_from(paths(body))), data.draw(ODD))
    headers = {"retry-after": data.draw(st.sampled_from(["", "5", "-1", "x"])), "x-totallimit-remaining": "-7e999"}
    reply = Reply(data.draw(st.sampled_from(STATUSES)), headers, json.dumps(body).encode())
    answer = await outcome(adapter, question, Told(reply, "key"))
    if isinstance(answer, ProviderError):
        assert answer.retry_after_seconds is None or answer.retry_after_seconds >= 0
        return
    told = answer.so_far if isinstance(answer, Pending) else answer
    for finding in told.findings if told else ():
        assert finding.field in adapter.info.gives[question.entity_type]
        assert 0 <= finding.confidence <= 1
        try:
            again = normalize(question.entity_type, finding.field, finding.value, hints=question.fields)
        except Refused:
            pytest.fail(f"{finding.field}: {finding.value!r} is not canonical")
        assert again is not None


@given(data=st.data())
async def test_an_odd_reply_to_a_poll_is_no_crash(data: st.DataObject) -> None:
    body = body_of("apollo", data.draw(st.sampled_from(["phone_result_ready", "pending", "pending_expired"])))
    body = replaced(body, data.draw(st.sampled_from(paths(body))), data.draw(ODD))
    reply = Reply(data.draw(st.sampled_from(STATUSES)), {}, json.dumps(body).encode())
    try:
        answer = await Apollo(phones=True).poll("7|7a00000000000000000000b1|0", MARA, Told(reply, "key"))
    except ProviderError:
        return
    if isinstance(answer, Pending):
        assert 0 < answer.retry_after_seconds <= 3600
    else:
        assert isinstance(answer, Answer)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[2]}-{case[3]}")
@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b"7", b'"x"', b"\xff\xfe", b"<html>", b"[" * 5000])
async def test_a_body_of_another_kind_is_no_match_by_accident(case: Any, body: bytes) -> None:
    adapter, question, provider, _ = case
    answer = await outcome(adapter, question, Told(Reply(200, {}, body), "key"))
    if isinstance(answer, ProviderError):
        assert answer.code == "invalid_answer"
        return
    assert provider == "apollo"  # an object without a person is how it says that it found nobody
    assert isinstance(answer, Answer)
    assert not answer.matched
    assert body == b"{}"
