"""A row begins where it begins, and a bad quote spoils its own line alone."""

import io

from service.records.rows import MOST_LINES, rows_of


def rows(text: str) -> list[tuple[int, list[str] | None]]:
    found = rows_of(io.StringIO(text, newline=""), ",", 2)
    return [(row.number, None if row.fault else row.cells) for row in found]


def test_rows_of_several_lines_count_all_of_them() -> None:
    assert rows('1,"a\nb"\r\n2,c\n\n3,d') == [(2, ["1", "a\nb"]), (4, ["2", "c"]), (5, []), (6, ["3", "d"])]


def test_a_quote_that_is_not_closed_spoils_one_line() -> None:
    below = "".join(f"{number},Acme\n" for number in range(2, 9))
    good = [(number + 1, [str(number), "Acme"]) for number in range(2, 9)]
    assert rows(f'1,"Acme\n{below}') == [(2, None), *good]


def test_nor_does_one_spoil_more_of_a_long_file_or_of_what_has_quotes_itself() -> None:
    count = MOST_LINES + 5
    below = "".join(f'{number},"Acme, Inc."\n' for number in range(count))
    assert [number for number, cells in rows(f'x,"Acme\n{below}') if cells is None] == [2]
    below = "".join(f"{number},Acme\n" for number in range(count))
    read = rows(f'x,"Acme\n{below}')
    assert [number for number, cells in read if cells is None] == [2]
    assert len(read) == count + 1


def test_the_text_of_a_bad_line_is_kept() -> None:
    [bad, good] = rows_of(io.StringIO('1,"Ac"me\r\n2,x\r\n', newline=""), ",", 2)
    assert (bad.text, good.cells) == ('1,"Ac"me', ["2", "x"])
