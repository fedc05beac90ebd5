"""A text of a provider is kept as far as every store can hold it."""

import json

import orjson
import pytest

from enrichment.storable import storable
from providers.api import ProviderError


@pytest.mark.parametrize(
    ("text", "kept"),
    [("Köln 😀", "Köln 😀"), ("a\x00b", "ab"), (json.loads('"half \\ud800 a face"'), "half ? a face"), ("", "")],
)
def test_what_no_store_holds_is_replaced(text: str, kept: str) -> None:
    assert storable(text) == kept
    error = ProviderError("rejected", text, retryable=False)
    assert error.message == str(error) == kept
    orjson.dumps(error.message)
