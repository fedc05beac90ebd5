"""Whatever an answer holds, an adapter answers or raises ProviderError: documented answers with odd values inside."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment.catalogue import Refused, normalize
from providers.api import Answer, Pending, ProviderError
from providers.clearbit.adapter import Clearbit
from providers.crunchbase.adapter import Crunchbase
from providers.http.adapter import Adapter, Reply
from providers.zoominfo.adapter import ZoomInfo
from tests.support.fake_http import FakeHttp, account, body_of, lead, sample

MARA = lead(email="mara.lindqvist@example.com", company="Example Robotics")
EXAMPLE = account(domain="example.com", name="Example Robotics")
CASES: list[tuple[Adapter, Any, str, str, str]] = [
    (ZoomInfo(), MARA, "zoominfo", "person_found", "token"),
    (ZoomInfo(), EXAMPLE, "zoominfo", "company_found", "token"),
    (ZoomInfo(), MARA, "zoominfo", "legacy_person_found", "legacy:token"),
    (ZoomInfo(), EXAMPLE, "zoominfo", "legacy_company_found", "legacy:token"),
    (Crunchbase(), EXAMPLE, "crunchbase", "search_by_domain", "key"),
    (Crunchbase(), account(name="Example Robotics"), "crunchbase", "autocomplete_found", "key"),
    (Clearbit(), MARA, "clearbit", "combined_found", "key"),
    (Clearbit(), EXAMPLE, "clearbit", "company_found", "key"),
]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["\x00", "\ud800", "<script>", "=1+1", "9" * 400, "1e400", "0001-01-01", "9999-12-31T23:59:59-23:59"]
    ),
    st.builds(
        deepcopy,
        st.sampled_from([10**400, -(10**30), [], {}, [[]], [None], {"value": {}}, {"error": []}, [{"error": {}}]]),
    ),
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside of a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, item in inside for deeper in paths(item, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    value[path[0]] = replaced(value[path[0]], path[1:], odd)
    return value


class Told(FakeHttp):
    """Says the same to whatever it is asked, after it was asked to sign in or not."""

    def __init__(self, told: Reply, key: str) -> None:
        super().__init__(*[told] * 4, key=key)


async def outcome(adapter: Adapter, question: Any, http: FakeHttp) -> Answer | Pending | ProviderError:
    try:
        return await adapter.look_up(question, http)
    except ProviderError as error:
        return error


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[2]}-{case[3]}")
@given(data=st.data())
async def test_odd_values_are_no_crash_and_what_is_found_can_be_stored(case: Any, data: st.DataObject) -> None:
    adapter, question, provider, name, key = case
    body = body_of(provider, name)
    for _ in range(data.draw(st.integers(1, 3))):
        body = replaced(body, data.draw(st.sampled_from(paths(body))), data.draw(ODD))
    status = data.draw(st.sampled_from([200, 200, 200, 202, 204, 302, 400, 401, 402, 403, 404, 429, 451, 500, 599]))
    told = Reply(status, {"retry-after": data.draw(st.sampled_from(["", "5", "-1", "x"]))}, json.dumps(body).encode())
    answer = await outcome(adapter, question, Told(told, key))
    if isinstance(answer, ProviderError):
        assert answer.retry_after_seconds is None or answer.retry_after_seconds >= 0
        return
    for finding in answer.findings if isinstance(answer, Answer) else ():
        assert finding.field in adapter.info.gives[question.entity_type]
        assert 0 <= finding.confidence <= 1
        try:
            again = normalize(question.entity_type, finding.field, finding.value, hints=question.fields)
        except Refused:
            pytest.fail(f"{finding.field}: {finding.value!r} is not canonical")
        assert again is not None


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[2]}-{case[3]}")
@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b"7", b'"x"', b"\xff\xfe", b"<html>", b"[" * 5000])
async def test_a_body_of_another_kind_is_no_match_by_accident(case: Any, body: bytes) -> None:
    adapter, question, provider, _, key = case
    answer = await outcome(adapter, question, Told(Reply(200, {}, body), key))
    if isinstance(answer, ProviderError):
        assert answer.code == "invalid_answer"
        return
    assert provider == "clearbit"  # where nothing at all is how it says that it found nobody
    assert isinstance(answer, Answer)
    assert not answer.matched
    assert body in {b"null", b"{}"}


async def test_the_samples_themselves_are_read() -> None:
    for adapter, question, provider, name, key in CASES:
        second = sample("crunchbase", "company_found")
        answer = await adapter.look_up(question, FakeHttp(sample(provider, name), second, key=key))
        assert isinstance(answer, Answer)
        assert answer.matched
