"""What belongs to each row of a table, and is read with it by one statement."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.db.selected import Selectable


@dataclass(frozen=True, slots=True)
class One:
    """A row that each row belongs to: of this table, joined on this condition."""

    rows: "Selectable[Any]"
    on: str
    only_named: bool = False


@dataclass(frozen=True, slots=True)
class Many:
    """Rows that belong to each row, in the order of a column; `only_named` leaves them out where all is wanted."""

    rows: "Selectable[Any]"
    on: str
    order: str
    only_named: bool = False


@dataclass(frozen=True, slots=True)
class Exists:
    """Whether another table has rows that belong to each row; left out where all is wanted."""

    table: str
    on: str
    only_named: bool = True
