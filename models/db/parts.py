"""What belongs to each row of a table, and is read with it by one statement."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.db.statements import rows

if TYPE_CHECKING:
    from models.db.selected import Selectable


@dataclass(frozen=True, slots=True)
class One:
    """A row that each row belongs to: of this table, joined on this condition."""

    rows: "Selectable[Any]"
    on: str
    only_named: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows that a JSON column of the row itself holds `while_` this condition holds, with their columns and kinds."""

    column: str
    while_: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Many:
    """Rows that belong to each row, in the order of a column; `only_named` leaves them out where all is wanted.

    `kept` take their place while there are any.
    """

    rows: "Selectable[Any]"
    on: str
    order: str
    only_named: bool = False
    kept: Kept | None = None

    def select(self, of: Callable[[str, str], str]) -> str:
        """An expression for what the statement `of` selects, which is made of a FROM item and its WHERE clause."""
        table = self.rows.table
        stored = of(table, f" WHERE {self.on}")
        if self.kept is None:
            return f"({stored})"
        kept = of(rows(self.kept.columns, of=self.kept.column, name=table), "")
        return f"CASE WHEN {self.kept.while_} THEN ({kept}) ELSE ({stored}) END"


@dataclass(frozen=True, slots=True)
class Exists:
    """Whether another table has rows that belong to each row; left out where all is wanted."""

    table: str
    on: str
    only_named: bool = True
