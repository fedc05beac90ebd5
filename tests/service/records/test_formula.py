"""What a spreadsheet would compute is exported as a text, and read again as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.records.formula import guarded, without_guard


@pytest.mark.parametrize("text", ["=1+1", "+49 30 1", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1", "'=1"])
def test_what_would_be_computed_is_guarded(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["Acme", "'t Hooft", "a=b", "", "'", "12", "ann@acme.com"])
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text == without_guard(text)


@given(st.text(alphabet="'=+-@\t\n ab", max_size=6))
def test_a_text_is_read_as_it_was_exported(text: str) -> None:
    assert without_guard(guarded(text)) == text
