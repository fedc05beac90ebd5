"""What the decision about a unit of fields depends on: the answers as wholes, and the record's own values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from enrichment.catalogue import disputing_parts, is_equivalent
from enrichment.config import Rule
from enrichment.decide.decision import Decision
from enrichment.decide.merge import Candidate
from enrichment.enums import EntityType, FieldUnit
from enrichment.normalize.places.fit import city_fits, state_fits
from enrichment.provenance import Current
from enrichment.words import NameOf, field_words

Parts = Mapping[str, Candidate]
"""What one source says of a unit, by part."""


class DecidePart(Protocol):
    def __call__(self, name: str, candidates: Sequence[Candidate], minimum: float | None = None) -> Decision:
        """How a field ends by these candidates alone; `minimum` is the least confidence to write in place of its own.

        There is at least one candidate.
        """


@dataclass(frozen=True, slots=True)
class UnreadText:
    """What the CRM sent and cannot be read: a value that means the same as no other."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class UnitCase:
    """All that a decision about a unit depends on.

    `parts` are its fields that are enriched, in catalogue order; `answers` what each source says of them, in order of
    priority. `rejected(field, candidate)` tells whether a reviewer turned that down before, `belief(field,
    candidate)` how much (0-1) it is believed now; `name_of(source)` names a provider in a sentence.
    """

    entity_type: EntityType
    unit: FieldUnit
    parts: Sequence[str]
    answers: Mapping[str, Parts]
    current: Mapping[str, Current]
    rule: Callable[[str], Rule]
    decide: DecidePart
    rejected: Callable[[str, Candidate], bool]
    belief: Callable[[str, Candidate], float]
    name_of: NameOf

    @property
    def disputing(self) -> list[str]:
        """The parts by which an answer about something else is known."""
        return [part for part in self.parts if part in disputing_parts(self.unit)]

    def held(self, part: str) -> Any:
        """The value that the record holds; None: it holds none."""
        current = self.current.get(part)
        if current is None:
            return None
        return current.value if current.unreadable is None else UnreadText(str(current.value))

    def differs(self, part: str, a: Any, b: Any) -> bool:
        """Whether two values of a part mean something else; None differs from nothing."""
        if a is None or b is None:
            return False
        unread = isinstance(a, UnreadText) or isinstance(b, UnreadText)
        return unread or not is_equivalent(self.entity_type, part, a, b)

    def misfits(self, held: Callable[[str], Any], answer: Parts) -> list[str]:
        """The parts that are held, and not in the answer, and cannot be of the place that it is about.

        Stockholm where the answer is about Luxembourg, and does not say which city.
        """
        if self.unit is not FieldUnit.ADDRESS:
            return []
        country = answer["country"].value if "country" in answer else held("country")
        if not isinstance(country, str):
            return []
        if "country" in answer:
            within = {part: held(part) for part in _FITS if part not in answer}
            return [part for part, value in within.items() if _is_elsewhere(part, value, country)]
        return (
            ["country"]
            if any(_is_elsewhere(part, answer[part].value, country) for part in _FITS if part in answer)
            else []
        )

    def believed(self, source: str) -> float:
        """How much (0-1) an answer is believed: as much as the least believed of its disputing parts."""
        answer = self.answers[source]
        return min((self.belief(part, answer[part]) for part in self.disputing if part in answer), default=0.0)

    def by_belief(self, sources: Sequence[str]) -> list[str]:
        """These sources, the most believed first; priority decides between equals."""
        order = [source for source in self.answers if source in sources]
        return sorted(order, key=lambda source: -self.believed(source))


_FITS: Mapping[str, Callable[[str, str], bool | None]] = {
    "city": city_fits,
    "state": state_fits,
}


def _is_elsewhere(part: str, value: Any, country: str) -> bool:
    return isinstance(value, str) and _FITS[part](value, country) is False


def listed(parts: Sequence[str]) -> str:
    """Fields in words: "city, postal code and country"."""
    words = [field_words(part) for part in parts]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
