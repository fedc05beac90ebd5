"""What holds for the comparison of any two values, whatever was sent."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from enrichment.catalogue import (
    Refused,
    fields_of,
    is_contradiction,
    is_equivalent,
    is_too_generic,
    normalize,
    value_key,
)
from enrichment.enums import EntityType
from tests.enrichment.normalize.contact import test_same_contacts
from tests.enrichment.normalize.industry import test_same_industries
from tests.enrichment.normalize.names import test_same_names
from tests.enrichment.normalize.numbers import test_same_numbers
from tests.enrichment.normalize.places import test_same_places
from tests.enrichment.normalize.titles import test_same_titles
from tests.support.same_values import rows

ACCOUNT, CONTACT = EntityType.ACCOUNT, EntityType.CONTACT
FIELDS = [(ACCOUNT, name) for name in fields_of(ACCOUNT)] + [(CONTACT, name) for name in fields_of(CONTACT)]
COUNTRIES = ("Germany", "United States", "United Kingdom", "Brazil", None)


def _tables() -> Iterator[str]:
    modules = (
        test_same_contacts,
        test_same_places,
        test_same_names,
        test_same_numbers,
        test_same_titles,
        test_same_industries,
    )
    for module in modules:
        for name, value in vars(module).items():
            if name.startswith(("SAME", "DIFFERENT")):
                yield from value.values() if isinstance(value, dict) else [value]


# Everything that stands in a table of values, of whatever field: a city is tried as a title, too.
WRITTEN = sorted({text.rpartition(" @ ")[0] or text for table in _tables() for pair in rows(table) for text in pair})


def canonical(entity_type: EntityType, name: str, raw: Any, country: str | None) -> Any:
    try:
        return normalize(entity_type, name, raw, hints={"country": country})
    except Refused:
        return None


@cache
def fitting(entity_type: EntityType, name: str) -> st.SearchStrategy[Any]:
    """Raw values, most of which this field takes."""
    taken = [text for text in WRITTEN if canonical(entity_type, name, text, "Germany") is not None]
    return st.sampled_from(taken) | st.sampled_from(taken).map(str.upper) | st.text(max_size=30) | st.integers(0, 10**6)


@pytest.mark.parametrize(("entity_type", "name"), FIELDS)
@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(data=st.data(), country=st.sampled_from(COUNTRIES))
def test_sameness_is_reflexive_and_mutual_and_agrees_with_the_key(
    entity_type: EntityType, name: str, data: st.DataObject, country: str | None
) -> None:
    a = canonical(entity_type, name, data.draw(fitting(entity_type, name)), country)
    b = canonical(entity_type, name, data.draw(fitting(entity_type, name)), "Germany")
    assume(a is not None)
    assert is_equivalent(entity_type, name, a, a)
    assert not is_contradiction(entity_type, name, a, a)
    assert isinstance(is_too_generic(entity_type, name, a), bool)
    key = value_key(entity_type, name, a)
    assert 0 < len(key) <= 64
    assert canonical(entity_type, name, a, country) == a
    if b is None:
        assert not is_equivalent(entity_type, name, a, b)
        return
    equal = is_equivalent(entity_type, name, a, b)
    assert equal == is_equivalent(entity_type, name, b, a)
    assert is_contradiction(entity_type, name, a, b) == is_contradiction(entity_type, name, b, a)
    assert not (equal and is_contradiction(entity_type, name, a, b))
    if key == value_key(entity_type, name, b):
        assert equal
    if a == b:
        assert equal
        assert key == value_key(entity_type, name, b)


@pytest.mark.parametrize(("entity_type", "name"), FIELDS)
def test_nothing_is_the_same_as_no_value(entity_type: EntityType, name: str) -> None:
    assert is_equivalent(entity_type, name, None, None)
    assert not is_contradiction(entity_type, name, None, None)
    for raw in WRITTEN[::40]:
        value = canonical(entity_type, name, raw, "Germany")
        if value is not None:
            assert not is_equivalent(entity_type, name, value, None)
            assert not is_equivalent(entity_type, name, None, value)
