"""An error message never carries a record's values on."""

import pytest

from enrichment.record_values import without_record_values

FIELDS = {"email": "ann@acme.com", "company": "Acme", "tags": ["b2b tools"], "city": "Ulm", "state": "BW"}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("no match for ANN@acme.com", "no match for ..."),
        ("acme: unknown", "...: unknown"),
        ("tag b2b tools is not known", "tag ... is not known"),
        ("BW", "BW"),  # too short to be told from any other text
        ("quota exceeded", "quota exceeded"),
    ],
)
def test_what_a_text_repeats_of_a_record_is_left_out(text: str, left: str) -> None:
    assert without_record_values(text, FIELDS) == left
