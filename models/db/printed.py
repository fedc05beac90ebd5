"""Rows that the database prints as the JSON that is answered, so that nothing is made of them on the way.

Who answers says by a `Shape` which keys an object has and where each comes from. A text is exactly what our encoder
writes of the same row. Where the database cannot print a row so (a number that we write in another way, a value of a
closed list that has no name), it prints none of it (NULL), and the rows are read as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from models.db.wanted import Wanted

Form: TypeAlias = Literal["text", "word", "whole", "real", "flag", "moment", "texts"]
"""`word` is a text without a character that JSON would escape."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """An attribute of the row, or of a row that it holds (`record.external_id`), in one of our forms.

    `names` is what is shown of each stored text (None: itself). `absent` is the JSON where the attribute is null;
    None: it is never null.
    """

    attribute: str
    form: Form
    names: Mapping[str, str] | None = None
    absent: str | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """An object of attributes of the same row; null where this attribute is null."""

    attribute: str
    shape: "Shape"


@dataclass(frozen=True, slots=True)
class Within:
    """The row, or the rows, that an attribute of the row holds."""

    attribute: str
    shape: "Shape"


@dataclass(frozen=True, slots=True)
class Literally:
    """JSON that is the same for each row."""

    json: str


@dataclass(frozen=True, slots=True)
class Hole:
    """JSON that whoever answers writes, from these attributes of the row. Only an outermost object has holes."""

    attributes: tuple[str, ...] = ()


Part: TypeAlias = Leaf | Beside | Within | Literally | Hole
Shape: TypeAlias = Mapping[str, Part]
"""What an object shows: its keys, in order. A key holds no quotation mark, backslash, question mark or apostrophe."""


@dataclass(frozen=True, slots=True)
class Columns:
    """How an object that is made of attributes of a row is printed: it is null where `present` is null.

    `attributes` are the row's, by those of the object, each with the JSON where it is null (None: it never is).
    """

    present: str
    attributes: Mapping[str, tuple[str, str | None]]


@dataclass(frozen=True, eq=False)
class Printed:
    """What is wanted of rows: to be printed in this shape, or these attributes where that cannot be."""

    shape: Shape
    plain: Wanted
    statements: dict[tuple[str, ...], str] = field(default_factory=dict)  # made once for a document


@dataclass(frozen=True, slots=True)
class PrintedRow:
    """A row of which the id is known, and how it is shown."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class PrintedRound:
    """A row of which the id is known, and how it is shown around its holes: one text more than there are of these.

    `given` are the attributes of all holes in their order, as the database gives them (JSON as a text).
    """

    id: str
    texts: Sequence[str]
    given: Sequence[Any]


MOST_STATEMENTS = 100  # of one document; more come about only where its filters are of many lengths

FORMS: Mapping[Form, tuple[str, ...]] = {
    "text": ("text",),
    "word": ("text",),
    "whole": ("integer",),
    "moment": ("integer",),
    "real": ("real",),
    "flag": ("boolean",),
    "texts": ("json",),
}
"""The kinds of columns that can be printed in each form."""


def printed_leaf(leaf: Leaf, column: str, *, sqlite: bool) -> str:
    """An expression for the JSON of a column; NULL where it cannot be printed."""
    if leaf.names is not None:
        cases = " ".join(
            f"WHEN {quoted(stored)} THEN {quoted(_in_marks(shown))}" for stored, shown in leaf.names.items()
        )
        shown = f"CASE {column} {cases} END"
    else:
        shown = (_IN_SQLITE if sqlite else _IN_POSTGRESQL)[leaf.form].replace("$", column)
    if leaf.absent is None:
        return shown
    return f"CASE WHEN {column} IS NULL THEN {quoted(leaf.absent)} ELSE {shown} END"


def printed_object(parts: Mapping[str, str]) -> str:
    """An expression for an object with these keys, from the expressions of their values."""
    [whole] = printed_around(parts)
    return whole


def printed_around(parts: Mapping[str, str | None]) -> list[str]:
    """Expressions for an object with these keys, around the values that have none (None)."""
    texts: list[list[str]] = [[]]
    before = "{"
    for key, value in parts.items():
        texts[-1].append(quoted(f'{before}"{key}":'))
        if value is None:
            texts.append([])
        else:
            texts[-1].append(f"({value})")
        before = ","
    texts[-1].append(quoted("}" if parts else "{}"))
    return [_together(pieces) for pieces in texts]


def _together(pieces: Sequence[str]) -> str:
    """These texts as one, each two put together first: from the left on each step would copy all that is before."""
    while len(pieces) > 2:
        pieces = [f"({' || '.join(pieces[at : at + 2])})" for at in range(0, len(pieces), 2)]
    return " || ".join(pieces)


def printed_list(items: str, rows: str, order: str, *, sqlite: bool) -> str:
    """An expression for the list of these items of rows, in an order; NULL where one of them cannot be printed."""
    if sqlite:
        rows = f"(SELECT {items} AS item {rows} ORDER BY {order}) AS printed"
        together = "group_concat(item, ',')"
    else:
        rows = f"(SELECT {items} AS item, {order} AS place {rows}) AS printed"
        together = "string_agg(item, ',' ORDER BY place)"
    return f"SELECT CASE WHEN count(*) = count(item) THEN '[' || coalesce({together}, '') || ']' END FROM {rows}"


def quoted(text: str) -> str:
    """A text as a literal of a statement."""
    return "'" + text.replace("'", "''") + "'"


def _in_marks(text: str) -> str:
    return f'"{text}"'


# Whole numbers are those of GraphQL, of 32 bits. Moments are printed from 1970 on, until numbers of microseconds are
# no longer exact in a float; numbers as they are where our encoder writes no exponent.
_WHOLE = "CASE WHEN $ BETWEEN -2147483648 AND 2147483647 THEN CAST($ AS TEXT) END"
_WORD = """'"' || $ || '"'"""
_FLAG = "CASE WHEN $ THEN 'true' WHEN NOT $ THEN 'false' END"
_LAST_MOMENT = 9_000_000_000_000_000
_DECIMAL = "$ = 0 OR abs($) BETWEEN 0.0001 AND 999999999999999"
_MOMENT = "timestamp '1970-01-01' + $ * interval '1 microsecond'"  # to_json leaves zeros at the end out

_IN_POSTGRESQL: Mapping[Form, str] = {
    "text": "to_json($)::text",
    "word": _WORD,
    "whole": _WHOLE,
    "flag": _FLAG,
    "real": f"CASE WHEN {_DECIMAL} THEN $::text || CASE WHEN $ = trunc($) THEN '.0' ELSE '' END END",
    "moment": (
        f"CASE WHEN $ NOT BETWEEN 0 AND {_LAST_MOMENT} THEN NULL WHEN $ % 10 <> 0 OR $ % 1000000 = 0"
        f""" THEN rtrim(to_json({_MOMENT})::text, '"') || 'Z"'"""
        f""" ELSE '"' || to_char({_MOMENT}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"' END"""
    ),
    # Without a backslash no quotation mark is inside a text, and ", " between two of them is between two texts.
    "texts": """CASE WHEN strpos($::text, '\\') = 0 THEN replace($::text, '", "', '","') END""",
}
_IN_SQLITE: Mapping[Form, str] = {
    "text": "CASE WHEN $ IS NOT NULL THEN json_quote($) END",
    "word": _WORD,
    "whole": _WHOLE,
    "flag": _FLAG,
    "real": (
        f"CASE WHEN NOT ({_DECIMAL}) THEN NULL WHEN CAST(CAST($ AS TEXT) AS REAL) = $ THEN CAST($ AS TEXT)"
        " WHEN CAST(printf('%!.16g', $) AS REAL) = $ THEN printf('%!.16g', $)"
        " WHEN CAST(printf('%!.17g', $) AS REAL) = $ THEN printf('%!.17g', $) END"
    ),
    "moment": (
        f"CASE WHEN $ BETWEEN 0 AND {_LAST_MOMENT} THEN strftime('\"%Y-%m-%dT%H:%M:%S', $ / 1000000, 'unixepoch')"
        " || CASE WHEN $ % 1000000 = 0 THEN '' ELSE printf('.%06d', $ % 1000000) END || 'Z\"' END"
    ),
    "texts": "CASE WHEN instr($, '\\') = 0 THEN json($) END",
}
