"""What is shown of records and beliefs."""

import pytest

from enrichment.enums import EntityType
from enrichment.shown import display_name, shown_confidence


@pytest.mark.parametrize(
    ("kind", "fields", "name"),
    [
        (EntityType.LEAD, {"firstName": "Ada", "lastName": "Lovelace", "email": "a@x.com"}, "Ada Lovelace"),
        (EntityType.CONTACT, {"lastName": "Lovelace"}, "Lovelace"),
        (EntityType.LEAD, {"firstName": " ", "email": "a@x.com"}, "a@x.com"),
        (EntityType.LEAD, {"lastName": 7}, "E-1"),
        (EntityType.ACCOUNT, {"name": "Acme", "domain": "acme.com"}, "Acme"),
        (EntityType.ACCOUNT, {"name": None, "domain": "acme.com"}, "acme.com"),
        (EntityType.ACCOUNT, {"email": "a@x.com"}, "E-1"),
    ],
)
def test_a_record_is_called_what_a_person_would_call_it(kind: EntityType, fields: dict[str, object], name: str) -> None:
    assert display_name(kind, fields, "E-1") == name


def test_a_confidence_is_shown_to_three_digits() -> None:
    assert [shown_confidence(each) for each in (0.123456, 0.9996, 1, None)] == [0.123, 1.0, 1, None]
