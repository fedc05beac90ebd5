"""The record around a field: its other values, and what each source said of the whole."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

from enrichment.catalogue import fields_of, is_equivalent
from enrichment.decide.merge import Candidate
from enrichment.enums import EntityType
from enrichment.learn.half_life import PRIOR_DAYS
from enrichment.learn.trust import NO_TRUST, Trust
from enrichment.provenance import Current

Answers = Mapping[str, Mapping[str, Any]]  # what each source gave, by provider and field


@dataclass(frozen=True, slots=True)
class RecordAround:
    """A record as it is when one of its fields is decided on: `values` by field, and the `answers` of its sources.

    `held` and `said` are the same values with whose they are and when they were seen, as far as it is known; `trust` is
    what reviewers taught about the sources, `half_lives` what the organization's history taught, in days by field.
    """

    entity_type: EntityType = EntityType.LEAD
    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    answers: Answers = field(default_factory=lambda: MappingProxyType({}))
    held: Mapping[str, Current] = field(default_factory=lambda: MappingProxyType({}))
    said: Mapping[str, Mapping[str, Candidate]] = field(default_factory=lambda: MappingProxyType({}))
    trust: Trust = NO_TRUST
    half_lives: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(
        cls,
        entity_type: EntityType,
        current: Mapping[str, Current],
        said: Mapping[str, Mapping[str, Candidate]],
        trust: Trust = NO_TRUST,
        half_lives: Mapping[str, float] | None = None,
    ) -> Self:
        """The record with these values, as far as they can be read, and these answers of its sources."""
        held = {name: value for name, value in current.items() if value.unreadable is None}
        return cls(
            entity_type,
            {name: value.value for name, value in held.items()},
            {source: {name: candidate.value for name, candidate in answer.items()} for source, answer in said.items()},
            held,
            said,
            trust,
            half_lives or {},
        )

    def half_life(self, name: str) -> float:
        """In how many days half of a field's values change."""
        return self.half_lives.get(name, PRIOR_DAYS[self.entity_type][name])

    @property
    def is_person(self) -> bool:
        return self.entity_type is not EntityType.ACCOUNT

    def undisputed(self, name: str, providers: Collection[str]) -> dict[str, Any]:
        """The record's other values, without those that one of these sources disputes.

        What is disputed itself can speak neither for nor against a value of the field.
        """
        return {
            other: value
            for other, value in self.values.items()
            if other != name and value is not None and not any(self._differs(other, value, by) for by in providers)
        }

    def agreement(self, provider: str, apart_from: Collection[str]) -> tuple[int, int]:
        """On how many fields a source's answer agrees with the record, and on how many it differs."""
        same = [self._is_same(name, provider) for name in self._shared(provider, apart_from)]
        return sum(same), len(same) - sum(same)

    def _shared(self, provider: str, apart_from: Collection[str]) -> Iterator[str]:
        answer, known = self.answers.get(provider, {}), fields_of(self.entity_type)
        for name in answer:
            if name in known and name not in apart_from and self.values.get(name) is not None:
                yield name

    def _is_same(self, name: str, provider: str) -> bool:
        return is_equivalent(self.entity_type, name, self.values[name], self.answers[provider][name])

    def _differs(self, name: str, value: Any, provider: str) -> bool:
        stated = self.answers.get(provider, {}).get(name)
        known = name in fields_of(self.entity_type)
        return known and stated is not None and not is_equivalent(self.entity_type, name, value, stated)
