"""Industry classification codes and stock symbols."""

from typing import Any

import pytest

from enrichment.normalize.numbers.codes import canonical_naics, canonical_sic, canonical_symbol
from enrichment.normalize.text.text import Refused


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("541511", "541511"),
        (541511, "541511"),
        ("54", "54"),
        ("31-33", "31-33"),
        ("NAICS: 5415", "5415"),
        ("541511 - Custom Computer", "541511"),
        ("-", None),
    ],
)
def test_a_naics_code_is_digits(raw: Any, code: str | None) -> None:
    assert canonical_naics(raw) == code


@pytest.mark.parametrize(
    ("raw", "code"),
    [("7372", "7372"), (7372.0, "7372"), ("0111", "0111"), ("SIC 7372", "7372"), ("73720000", "73720000")],
)
def test_a_sic_code_is_digits(raw: Any, code: str) -> None:
    assert canonical_sic(raw) == code


@pytest.mark.parametrize("raw", ["1", "1234567", "software", "12345678901"])
def test_what_is_no_code_is_refused(raw: str) -> None:
    with pytest.raises(Refused, match="not a NAICS code"):
        canonical_naics(raw)


@pytest.mark.parametrize(
    ("raw", "symbol"),
    [
        ("aapl", "AAPL"),
        ("$AAPL", "AAPL"),
        ("NASDAQ: AAPL", "AAPL"),
        ("nyse:brk.b", "BRK.B"),
        ("AAPL (NASDAQ)", "AAPL"),
        ("8252.T", "8252.T"),
    ],
)
def test_a_stock_symbol_is_upper_case(raw: str, symbol: str) -> None:
    assert canonical_symbol(raw) == symbol


def test_a_sentence_is_no_stock_symbol() -> None:
    with pytest.raises(Refused, match="not a stock symbol"):
        canonical_symbol("not listed anywhere")
