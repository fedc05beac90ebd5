"""Packed JSON reads back as it was, in few bytes, whichever version packed it."""

from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment.packed_json import UnknownPacking, pack, unpack
from enrichment.packing_dictionary import DICTIONARY_1

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
CANDIDATES = [
    {
        "field": field,
        "value": value,
        "confidence": 0.98,
        "statedConfidence": 0.98,
        "observedAt": "2022-01-01T00:00:00Z",
    }
    for field, value in {"name": "Titan Mining Corporation", "city": "Vancouver", "industry": "Metals & Mining"}.items()
]
PACKED_BY_VERSION_1 = (
    "01431a2e87e53de8806e486649629e826f661e689201699c9fda83bbc8e3d990b403734158621e30ccca60334134b1122943"
    "c3acf54d05c67fb1821ad4efd4b63c1600"
)


@given(json_values)
def test_what_was_packed_reads_back_as_it_was(value: Any) -> None:
    assert unpack(pack(value)) == value


def test_candidates_take_less_than_a_third_of_their_text() -> None:
    assert len(pack(CANDIDATES)) * 3 < len(orjson.dumps(CANDIDATES))


def test_what_is_stored_stays_readable() -> None:
    """Another dictionary under the same number would make everything that is stored unreadable."""
    assert sha256(DICTIONARY_1).hexdigest() == "6a702d87a6388dc9ebd76bddff785410aa5d57f7967b5c24c174cb7ee8c0fb0f"
    assert unpack(bytes.fromhex(PACKED_BY_VERSION_1)) == CANDIDATES


@pytest.mark.parametrize("packed", [b"", bytes([0]), bytes([2]) + pack({})[1:]])
def test_an_unknown_dictionary_is_refused(packed: bytes) -> None:
    with pytest.raises(UnknownPacking, match="this version knows 1 to 1"):
        unpack(packed)
