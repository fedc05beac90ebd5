"""The decision on one record: how every enrichable field ends, once the sources have replied.

Each field is decided by itself, and then the parts of each unit together (see `enrichment.decide.units`). Every
enrichable field of the record ends with exactly one reason, so that the reasons partition the fields.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from enrichment.catalogue import fields_of, is_contradiction, is_equivalent, is_too_generic, units_of
from enrichment.config import Config
from enrichment.decide.belief import Decay, decay_of
from enrichment.decide.case import FieldCase
from enrichment.decide.decision import Decision
from enrichment.decide.edition import LATEST, Edition
from enrichment.decide.field import decide, fill_with
from enrichment.decide.merge import Candidate, alone, survivors
from enrichment.decide.unit_case import UnitCase
from enrichment.decide.units import decide_unit
from enrichment.enums import EntityType, FieldOutcomeReason, FieldPolicy, FieldUnit, StepOutcome
from enrichment.learn.trust import NO_TRUST, Trust
from enrichment.normalize.contact.email import EmailKind, email_kind
from enrichment.provenance import Current
from enrichment.recommend.record import RecordAround
from enrichment.waterfall.planner import Want
from enrichment.waterfall.skip_reason import SkipReason
from enrichment.words import NO_PROVIDER, NOT_ASKED, WITHHELD, Names, naming


@dataclass(frozen=True, slots=True)
class SourceResult:
    """What became of asking one source: its candidates by field, or why there are none.

    `gives` names the fields it could have given; `skipped` why it was not asked; `withheld` those whose values would
    have brought an erased person back.
    """

    source: str
    outcome: StepOutcome
    gives: frozenset[str]
    candidates: Mapping[str, Candidate] = field(default_factory=dict)
    skipped: SkipReason | None = None
    error: str | None = None
    withheld: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DecisionInput:
    """One record with all that its decision depends on. `results` are in order of priority.

    `rejected(field, value, source)` tells whether a reviewer turned that down (None: nothing was); `asked_at` is when
    the sources were asked, and ages are counted up to then; `trust` what reviewers taught about them. `half_lives` are
    those that the organization's own history taught, in days by field; any other field has its prior. `names` are the
    providers'.
    """

    entity_type: EntityType
    config: Config
    current: Mapping[str, Current]
    wants: Mapping[str, Want]
    results: Sequence[SourceResult]
    rejected: Callable[[str, Any, str], bool] | None
    asked_at: datetime
    trust: Trust = NO_TRUST
    half_lives: Mapping[str, float] = field(default_factory=dict)
    names: Names = field(default_factory=dict)
    edition: Edition = LATEST
    _around: list[RecordAround] = field(default_factory=list, init=False, repr=False, compare=False)

    def decay(self, name: str) -> Decay:
        """How the values of a field age."""
        return decay_of(self.entity_type, name, self.asked_at, self.half_lives, self.edition)

    def around(self) -> RecordAround:
        """The record's values, as far as they can be read, and what each source says of it; the same for all fields."""
        if not self._around:
            said = {result.source: result.candidates for result in self.results}
            self._around.append(RecordAround.of(self.entity_type, self.current, said, self.trust, self.half_lives))
        return self._around[0]


def decide_fields(record: DecisionInput) -> dict[str, Decision]:
    """How each enrichable field of the record ends, in catalogue order."""
    candidates: dict[str, list[Candidate]] = {}
    for result in record.results:
        for name, candidate in result.candidates.items():
            candidates.setdefault(name, []).append(candidate)
    decisions = {
        known.name: _decide(record, known.name, candidates[known.name])
        if known.name in candidates
        else _without_candidates(record, known.name)
        for known in fields_of(record.entity_type).values()
        if known.enrichable
    }
    if record.edition >= Edition.UNITS:
        for unit, parts in units_of(record.entity_type).items():
            about = [part for part in parts if part != "email" or _is_work_mail(record)]
            if any(decisions[part].write or decisions[part].question for part in about):
                decisions |= decide_unit(_unit_case(record, unit, about), decisions)
    return decisions


def _is_work_mail(record: DecisionInput) -> bool:
    """Whether the record's e-mail address, or one that a source gives, is an employer's, or there is none."""
    held = record.current.get("email")
    given = [result.candidates["email"].value for result in record.results if "email" in result.candidates]
    known = [value for value in (held and held.value, *given) if isinstance(value, str)]
    return not known or any(email_kind(value) is not EmailKind.FREE for value in known)


def _unit_case(record: DecisionInput, unit: FieldUnit, parts: Sequence[str]) -> UnitCase:
    answers = {
        result.source: {part: result.candidates[part] for part in parts if part in result.candidates}
        for result in record.results
    }
    return UnitCase(
        entity_type=record.entity_type,
        unit=unit,
        parts=parts,
        answers={source: answer for source, answer in answers.items() if answer},
        current=record.current,
        rule=lambda part: record.config.by_field[record.entity_type][part].rule,
        decide=partial(_decide, record),
        rejected=lambda part, candidate: _was_rejected(record, part, candidate),
        belief=lambda part, candidate: record.decay(part).belief(candidate),
        name_of=naming(record.names),
    )


def _was_rejected(record: DecisionInput, name: str, candidate: Candidate) -> bool:
    if record.rejected is None:
        return False
    forms = (candidate.value, candidate.earlier)
    return any(record.rejected(name, form, candidate.provider) for form in forms if form is not None)


def _decide(
    record: DecisionInput, name: str, candidates: Sequence[Candidate], minimum: float | None = None
) -> Decision:
    entity_type = record.entity_type
    rules = record.config.by_field[entity_type][name]
    least = rules.minimum if minimum is None else minimum
    current, decay = record.current.get(name), record.decay(name)
    may_write = rules.rule.policy is not FieldPolicy.NEVER
    if current is None and may_write and record.rejected is None and len(candidates) == 1:
        return fill_with(alone(candidates[0], decay), least)  # most fields end so: there is nothing to weigh

    def equal(a: Any, b: Any) -> bool:
        return is_equivalent(entity_type, name, a, b)

    def rejected(value: Any, source: str) -> bool:
        before = [candidate.earlier for candidate in candidates if candidate.provider == source]
        forms = (value, *(form for form in before if form is not None))
        return record.rejected is not None and any(record.rejected(name, form, source) for form in forms)

    known = None if current is None or current.unreadable is not None else current.value
    specific = [
        candidate
        for candidate in candidates
        if not is_too_generic(entity_type, name, candidate.value) or equal(known, candidate.value)
    ]
    if not specific and current is not None and current.value is not None:
        return _TOO_GENERIC
    return decide(
        FieldCase(
            rule=rules.rule,
            minimum=least,
            strategy=record.config.strategy,
            current=current,
            proposals=survivors(specific or candidates, equal, decay),
            is_equivalent=equal,
            rejected=None if record.rejected is None else rejected,
            asked_at=record.asked_at,
            name=name,
            rules=lambda: rules.reviews,
            trust_in=lambda provider: record.trust.of(provider, entity_type, name),
            is_contradiction=lambda a, b: is_contradiction(entity_type, name, a, b),
            half_life_days=decay.half_life_days,
            name_of=naming(record.names),
            edition=record.edition,
            around=record.around,
        )
    )


_KEPT = Decision(FieldOutcomeReason.PROTECTED, detail="the policy of this field keeps its value")
_TOO_GENERIC = Decision(FieldOutcomeReason.NO_DATA, detail="what was said is too wide to be compared with the value")
_UNKNOWN = Decision(FieldOutcomeReason.NO_DATA, detail="nobody who was asked knew one")
_WITHHELD = Decision(FieldOutcomeReason.SKIPPED, detail=WITHHELD)
_NO_PROVIDER = Decision(FieldOutcomeReason.SKIPPED, detail=NO_PROVIDER)


def _without_candidates(record: DecisionInput, name: str) -> Decision:
    if record.wants.get(name, Want.NONE) is Want.NONE:
        return _KEPT
    able: list[SourceResult] = []
    is_answered = False
    failed: SourceResult | None = None
    for result in record.results:
        if name in result.withheld:
            return _WITHHELD
        if name in result.gives:
            able.append(result)
            is_answered = is_answered or result.outcome.is_answer
            if failed is None and result.error is not None:
                failed = result
    if not able:
        return _NO_PROVIDER
    if failed is not None:
        return Decision(FieldOutcomeReason.ERROR, provider=failed.source, detail=failed.error or "")
    if is_answered:
        return _UNKNOWN
    reason = able[0].skipped
    return Decision(FieldOutcomeReason.SKIPPED, provider=able[0].source, detail=NOT_ASKED[reason] if reason else "")
