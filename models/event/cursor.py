"""Where a reader of the log is: after one event. Clients keep it as a text and send it back."""

import re
from dataclasses import dataclass

_TEXT = re.compile(r"([0-9]{1,19})-([0-9]{1,19})-([0-9]{1,9})")
_MOST = 2**63 - 1


@dataclass(frozen=True, slots=True, order=True)
class EventCursor:
    """After the event `part` of the row (`position`, `number`); `part` -1: before the row's first."""

    position: int
    number: int
    part: int

    def __str__(self) -> str:
        return "0" if self == OLDEST else f"{self.position}-{self.number}-{self.part + 1}"

    @classmethod
    def read(cls, text: str) -> "EventCursor | None":
        """The cursor that a text says; None where it is none."""
        if text == "0":
            return OLDEST
        found = _TEXT.fullmatch(text)
        if found is None:
            return None
        position, number, part = (int(digits) for digits in found.groups())
        return None if max(position, number) > _MOST else cls(position, number, part - 1)


OLDEST = EventCursor(-1, -1, -1)
"""Before the oldest event that is kept, however much was pruned: clients write `0`."""
LAST_PART = 10**8
"""The part of a cursor that is after every event of its row."""
