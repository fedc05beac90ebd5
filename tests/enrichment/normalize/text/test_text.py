"""What every text goes through: characters, placeholders, formulas, wrong types."""

import math
from typing import Any

import pytest

from enrichment.normalize.text.placeholders import is_placeholder
from enrichment.normalize.text.plain import canonical_description
from enrichment.normalize.text.text import LONGEST, Refused, fold, refuse_markup, tidy, words


@pytest.mark.parametrize(
    ("raw", "tidied"),
    [
        ("  Acme   Inc ", "Acme Inc"),
        ("\u00a0Cipla", "Cipla"),
        ("Acme\u2003\u3000Inc", "Acme Inc"),
        ("Zurbru\u0308ggen", "Zurbrüggen"),
        ("Advan\u00adtag", "Advantag"),
        ("Ac\u200bme\ufeff", "Acme"),
        ("\u202eAcme\u202c", "Acme"),
        ("Acme\x07\x1b Inc", "Acme Inc"),
        ("Acme\r\nInc\tLtd", "Acme Inc Ltd"),
        ("MÃ¼nchen", "München"),
        ("L\u00e2\u20ac\u2122Or\u00c3\u00a9al", "L\u2019Oréal"),
        ("\u00c3\u0192\u00c2\u00bcber", "über"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("Ac\u200dme", "Acme"),
        (94107, "94107"),
        (94107.0, "94107"),
        (None, None),
        ("", None),
        ("   \u00a0 ", None),
    ],
)
def test_text_is_trimmed_visible_and_composed(raw: Any, tidied: str | None) -> None:
    assert tidy(raw) == tidied


PLACEHOLDERS = """
n/a N/A NA #N/A none None NULL null nil NaN undefined - -- \u2014 . ? ??? ... unknown (unknown) [Unknown] -None- TBD
tbd. TBA T.B.D. xxx XXX test Test #REF! #VALUE! _ unbekannt inconnu desconocido
\u043d\u0435\u0438\u0437\u0432\u0435\u0441\u0442\u043d\u043e \u4e0d\u660e (blank) <null>
"""


@pytest.mark.parametrize("text", PLACEHOLDERS.split())
def test_a_placeholder_is_empty(text: str) -> None:
    assert is_placeholder(text)
    assert tidy(f" {text} ") is None


@pytest.mark.parametrize(
    "text",
    ["not available", "Not Specified", "k.A.", "keine Angabe", "please select", "- n/a -", "to be determined"],
)
def test_a_phrase_without_a_value_is_empty(text: str) -> None:
    assert tidy(text) is None


@pytest.mark.parametrize(
    "text", ["Nadia", "Test Rite Group", "Nilfisk", "Unknown Worlds", "X", "37", "Nantes", "東京", "Tbilisi", "NC"]
)
def test_a_value_that_only_resembles_a_placeholder_is_kept(text: str) -> None:
    assert tidy(text) == text


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://evil.example","x")',
        "=cmd|' /C calc'!A0",
        "=1+1",
        " = A1",
        "'=1+1",
        '"=1+1',
        "\t=1+1",
        "\u200b=1+1",
        "\uff1d1+1",
        "@SUM(1+1)*cmd|' /C calc'!A0",
        "+cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "+HYPERLINK(A1)",
        "-A1+B2",
    ],
)
def test_a_spreadsheet_formula_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="a spreadsheet formula, not a value"):
        tidy(text)


@pytest.mark.parametrize(
    "text", ["+44 20 7946 0818", "+1 (202) 555-0101", "@acme", "-5", "- Acme (UK) Ltd", "=== About us ==="]
)
def test_what_only_begins_like_a_formula_is_kept(text: str) -> None:
    assert tidy(text) == text


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (True, "true or false"),
        (False, "true or false"),
        ([], "a list"),
        (["a"], "a list"),
        ({}, "an object"),
        ({"a": 1}, "an object"),
        (1.5, "a number, not text"),
        (math.nan, "not a finite number"),
        (math.inf, "not a finite number"),
        pytest.param(10**5000, "too large a number", id="huge"),
        ("a\x00b", "NUL"),
        ("a\ud800b", "broken characters"),
        ("M\ufffdnchen", "broken characters"),
        ("a" * (LONGEST + 1), "longer than 10,000"),
    ],
)
def test_what_is_no_text_is_refused_with_a_reason(raw: Any, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        tidy(raw)


def test_a_text_longer_than_its_kind_allows_is_refused() -> None:
    assert tidy("a" * 5, 5) == "aaaaa"
    with pytest.raises(Refused, match="longer than 5 characters"):
        tidy("a" * 6, 5)


def test_lines_are_kept_where_they_are_wanted() -> None:
    assert tidy(" a \r\n\r\n\r\n\r\n b \u2028c", lines=True) == "a\n\nb\nc"


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "Acme <img src=x onerror=y>", "<b>Acme</b>", "< script src=//x"]
)
def test_markup_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="markup"):
        refuse_markup(text)


@pytest.mark.parametrize("text", ["a < b", "Acme <3", "<Acme>", "R&D"])
def test_an_angle_bracket_alone_is_no_markup(text: str) -> None:
    refuse_markup(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Łódź", "LODZ"),
        ("Straße", "STRASSE"),
        ("Søren", "soren"),
        ("İstanbul", "istanbul"),
        ("Zürich", "Zu\u0308rich"),
        ("Ⅷ", "viii"),
    ],
)
def test_folding_forgets_case_and_accents(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_words_forget_punctuation_but_not_a_text_of_it() -> None:
    assert words("Hotels, Restaurants & Leisure") == "hotels restaurants and leisure"
    assert words("C++") == "c"
    assert words("!!!") == "!!!"


def test_a_description_keeps_its_paragraphs() -> None:
    assert canonical_description("One.\r\n\r\n\r\nTwo. ") == "One.\n\nTwo."
