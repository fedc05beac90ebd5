"""Which keys of a body and which versions REST understands."""

from typing import Any

import pytest

from resolvers.errors import BadRequest, ValidationFailed
from service.rest.request import NO_VERSION, expected_versions, refuse_unknown, text_or_none
from tests.support.requests import request


def test_unknown_keys_are_all_named() -> None:
    with pytest.raises(ValidationFailed) as caught:
        refuse_unknown({"reason": 1, "reasn": 2, "x": 3}, ("reason",))
    assert [fault.path for fault in caught.value.faults] == ["reasn", "x"]


@pytest.mark.parametrize("value", [1, True, [], {}, "a\0b"])
def test_a_text_must_be_a_text(value: Any) -> None:
    with pytest.raises(ValidationFailed):
        text_or_none({"note": value}, "note")
    assert text_or_none({"note": "n"}, "note") == "n"
    assert text_or_none({"note": None}, "note") is text_or_none({}, "note") is None


@pytest.mark.parametrize(
    ("sent", "versions"),
    [
        ([], None),
        (["*"], None),
        (['"3"'], (3,)),
        (['W/"3"'], (3,)),
        (['"3", W/"4"'], (3, 4)),
        (['"3"', '"4"'], (3, 4)),
        (['"abc"'], (NO_VERSION,)),
        (['""'], (NO_VERSION,)),
        (['"99999999999999999999"'], (NO_VERSION,)),
        (['"-1"'], (NO_VERSION,)),
    ],
)
def test_if_match_names_versions(sent: list[str], versions: tuple[int, ...] | None) -> None:
    assert expected_versions(request(headers=[("if-match", value) for value in sent])) == versions


@pytest.mark.parametrize("sent", ["3", "", '"3', 'w/"3"', '"3" "4"', '*, "3"', "W/3", '"a b"x'])
def test_a_malformed_if_match_is_refused(sent: str) -> None:
    with pytest.raises(BadRequest) as caught:
        expected_versions(request(headers=[("if-match", sent)]))
    assert [fault.path for fault in caught.value.faults] == ["If-Match"]
