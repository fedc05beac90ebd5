"""What of a name agrees with a known one, and how much of it has to."""

from enum import Enum

from providers.matching.clues import Agreement
from providers.matching.name_index import is_slip_of_form

_SURE_SLIP, _OTHER_LETTER = 0.88, 0.72  # scores of letters swapped or doubled, and of another letter or two slips
_LEAST_IN_ITS_CITY = 4  # letters of a name with letters swapped or doubled, where the city agrees


class By(Enum):
    """What of the name agrees. A slip needs so many letters beside another sign, and so many alone."""

    FULL = "name with its legal form", 0, 0
    NAME = "name", 0, 0
    PART = "part of the name", 0, 0
    SURE_SLIP = "name with letters swapped or doubled", 6, 6
    SLIP = "name with a slip", 6, 8
    OTHER_LETTER = "name with another letter", 8, 12

    def __init__(self, words: str, least: int, least_alone: int) -> None:
        self.words = words
        self.least = least
        self.least_alone = least_alone

    @property
    def is_slip(self) -> bool:
        """Whether the names are spelt differently."""
        return self.least > 0

    def least_letters(self, agreement: Agreement) -> int:
        """The letters that a name with such a slip must have, by what else agrees."""
        if self is By.SURE_SLIP and agreement.city > 0:
            return _LEAST_IN_ITS_CITY
        return self.least if agreement.signs else self.least_alone

    @classmethod
    def of_slip(cls, written: str, known: str, score: float) -> "By":
        """What agrees of a known spelling that is one or two edits away, with the score of `slip_score`."""
        if is_slip_of_form(written, known):
            return cls.NAME
        return cls.SURE_SLIP if score >= _SURE_SLIP else cls.SLIP if score > _OTHER_LETTER else cls.OTHER_LETTER
