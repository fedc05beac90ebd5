"""The questions about one record that wait for a person in the course of a replay, as decisions raise and end them."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from enrichment.catalogue import disputing_parts, fields_of, parts_of
from enrichment.enums import EntityType, FieldUnit
from enrichment.replay.snapshot import FieldEffect

Effects = Mapping[str, FieldEffect]


@dataclass(slots=True)
class OpenQuestions:
    """The open questions by name, a field's or a unit's, each with the fields that it disputes."""

    entity_type: EntityType
    disputed: dict[str, Set[str]] = field(default_factory=dict)

    @classmethod
    def begin(cls, entity_type: EntityType, names: Set[str]) -> "OpenQuestions":
        """Those that are open at first: fields and units, with the parts that each unit's question shows."""
        units = {unit.value: unit for unit in FieldUnit if unit.value in names}
        parts: dict[str, Set[str]] = {name: disputing_parts(unit) & names for name, unit in units.items()}
        within = {part for unit in units.values() for part in parts_of(entity_type, unit)}
        return cls(entity_type, parts | {name: {name} for name in names - within - units.keys()})

    def follow(self, changed: Set[str]) -> None:
        """End the questions about fields whose values others have changed."""
        self.disputed = {name: fields for name, fields in self.disputed.items() if not fields & changed}

    def apply(self, effects: Effects) -> set[str]:
        """Raise and end questions as a decision does. Returns the fields of those that were not open before."""
        settled = {name for name, effect in effects.items() if effect.reason.settles_conflict}
        asked = self._asked(effects)
        going_on = {
            name: fields
            for name, fields in self.disputed.items()
            if name in asked or not fields or not fields <= settled
        }
        before = going_on.keys() | self._joined(asked, going_on)
        given_way = {part for name in asked if name in set(FieldUnit) for part in self._parts(name)}
        self.disputed = {name: fields for name, fields in going_on.items() if name not in given_way}
        self.disputed |= {name: fields for name, fields in asked.items() if name not in before or name in going_on}
        return {
            name
            for name, effect in effects.items()
            if effect.conflict is not None and question_of(name, effect) not in before
        }

    def _asked(self, effects: Effects) -> dict[str, set[str]]:
        asked: dict[str, set[str]] = {}
        for name, effect in effects.items():
            if effect.conflict is not None:
                disputed = asked.setdefault(question_of(name, effect), set())
                disputed |= {name} if effect.is_disputed else set()
        return asked

    def _joined(self, asked: Iterable[str], going_on: Iterable[str]) -> set[str]:
        """Parts asked about by themselves whose unit has an open question, which they join."""
        fields = fields_of(self.entity_type)
        return {
            name for name in asked if name in fields and (unit := fields[name].unit) is not None and unit in going_on
        }

    def _parts(self, name: str) -> tuple[str, ...]:
        return parts_of(self.entity_type, FieldUnit(name))


def question_of(name: str, effect: FieldEffect) -> str:
    """The name of the question that a field's effect belongs to: the field's own, or the unit's."""
    return name if effect.unit is None else effect.unit.value
