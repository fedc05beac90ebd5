"""What is read of a reply is bounded: an endless list or text costs no more than an honest one."""

from providers.http.replies import MOST_ITEMS, MOST_LETTERS, items, text


def test_lists_and_texts_are_read_up_to_a_bound() -> None:
    assert items(list(range(MOST_ITEMS + 1))) == list(range(MOST_ITEMS))
    assert text("x" * MOST_LETTERS) == "x" * MOST_LETTERS
    assert text("x" * (MOST_LETTERS + 1)) is None
    assert text("M\ufffdller") is None
