"""What is to be weighed of a question: each value, who says it, when, and what else speaks for or against it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment.decide.merge import Candidate, Proposal
from enrichment.enums import EntityType
from enrichment.learn.trust import UNJUDGED, SourceTrust
from enrichment.normalize.field_kind import FieldKind
from enrichment.provenance import Current
from enrichment.recommend.nearness import is_short_form, is_slip
from enrichment.recommend.record import RecordAround
from enrichment.recommend.signs import signs_of
from enrichment.recommend.subject import Found, Subject, kind_of
from enrichment.recommend.weights import Sign
from enrichment.recommend.witnesses import Together, together


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be weighed. `proposals` are all that the sources gave for the field, also what confirms `current`.

    `is_held(value)` tells whether the field holds it already. `half_life_days` is the field's, and ages are counted up
    to `now`. `is_far_off` tells two figures of another size.
    """

    name: str
    current: Current | None
    proposals: Sequence[Proposal]
    around: RecordAround
    now: datetime
    half_life_days: float
    is_held: Callable[[Any], bool]
    is_far_off: Callable[[Any, Any], bool]
    trust_in: Callable[[str], SourceTrust]

    @property
    def kind(self) -> FieldKind:
        return kind_of(self.around.entity_type, self.name)

    @property
    def held(self) -> Current | None:
        """The current value, if there is one."""
        return None if self.current is None or self.current.value is None else self.current

    @property
    def held_seen_at(self) -> datetime | None:
        """When the current value was seen or set; None where nobody knows."""
        return None if self.held is None else self.held.seen_at


@dataclass(frozen=True, slots=True)
class Sighting:
    """A source's saying that a value is right.

    `same` and `different`: on how many other fields its answer agrees with the record, and on how many not.
    """

    candidate: Candidate
    trust: SourceTrust = UNJUDGED
    same: int = 0
    different: int = 0


@dataclass(frozen=True, slots=True)
class Observed:
    """One value: `current` if the field holds it, `proposal` if a source gives it, the `sightings` of these sources."""

    value: Any
    current: Current | None
    proposal: Proposal | None
    sightings: tuple[Sighting, ...]
    signs: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Observations:
    """All values of a question. `latest`: when the newest of them was seen, as far as it is known.

    `undated`: nobody knows how old the current value is. `sized`: a source's figure is of another size than it.
    """

    values: tuple[Observed, ...]
    entity_type: EntityType
    said: Together
    half_life_days: float
    now: datetime
    held_seen_at: datetime | None
    latest: datetime | None
    undated: bool
    sized: bool


def observe(question: Question) -> Observations:
    """All that the question has to say, before anything of it is weighed."""
    held, held_at = question.held, question.held_seen_at
    seen = [proposal.observed_at for proposal in question.proposals]
    values = _values(question)
    supported = [(current, () if proposal is None else proposal.support) for current, proposal in values]
    return Observations(
        values=tuple(_observed(question, current, proposal) for current, proposal in values),
        entity_type=question.around.entity_type,
        said=together(question.around, question.name, question.half_life_days, supported, question.trust_in),
        half_life_days=question.half_life_days,
        now=question.now,
        held_seen_at=held_at,
        latest=max([*seen, *([] if held_at is None else [held_at])], default=None),
        undated=held is not None and held_at is None,
        sized=held is not None
        and held.unreadable is None
        and any(question.is_far_off(held.value, proposal.value) for proposal in question.proposals),
    )


def _values(question: Question) -> list[tuple[Current | None, Proposal | None]]:
    """The different values: the current one, with what confirms it, and the others."""
    held = question.held
    if held is None:
        return [(None, proposal) for proposal in question.proposals]
    same = [proposal for proposal in question.proposals if question.is_held(proposal.value)]
    others = [proposal for proposal in question.proposals if proposal not in same]
    return [(held, same[0] if same else None), *((None, proposal) for proposal in others)]


def _observed(question: Question, current: Current | None, proposal: Proposal | None) -> Observed:
    support = () if proposal is None else proposal.support
    value = current.value if current is not None else None if proposal is None else proposal.value
    return Observed(
        value=value,
        current=current,
        proposal=proposal,
        sightings=tuple(_sighting(question, candidate) for candidate in support),
        signs=tuple(_signs(question, value, current)),
    )


def _sighting(question: Question, candidate: Candidate) -> Sighting:
    same, different = question.around.agreement(candidate.provider, {question.name})
    return Sighting(candidate, question.trust_in(candidate.provider), same, different)


def _signs(question: Question, value: Any, current: Current | None) -> Iterator[Found]:
    if current is not None and current.unreadable is not None:
        yield Found(Sign.UNREADABLE, "cannot be read")
        return
    around = question.around
    providers = [candidate.provider for proposal in question.proposals for candidate in proposal.support]
    stated = [pair for by in providers for pair in around.answers.get(by, {}).items()] if current is not None else []
    others = around.undisputed(question.name, providers)
    yield from signs_of(Subject(around.entity_type, question.name, value, others, stated))
    yield from _beside_the_other(question, value, current)


def _beside_the_other(question: Question, value: Any, current: Current | None) -> Iterator[Found]:
    """Signs that come of what a value is beside another: a slip of it, or its short form."""
    held, kind = question.held, question.kind
    if held is None or not held.is_a_persons or held.unreadable is not None:
        return
    if current is None:
        if is_slip(kind, held.value, value) or is_short_form(kind, held.value, value):
            yield Found(Sign.MEANT, "is what the current value seems to mean")
        return
    rivals = [proposal.value for proposal in question.proposals if not question.is_held(proposal.value)]
    if any(is_slip(kind, value, rival) for rival in rivals):
        yield Found(Sign.MISTYPED, "looks mistyped")
    elif any(is_short_form(kind, value, rival) for rival in rivals):
        yield Found(Sign.SHORTENED, "is a short form")
