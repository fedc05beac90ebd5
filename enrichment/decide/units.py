"""Fields that are one thing are decided together: no part is written from an answer that another part disputes.

Each field has been decided by itself. Of a unit, the answers that are about another place, or another employer, than
the record's are then set aside, and its parts are decided again by the answers that are left, which agree with the
record and with each other. What was set aside is one question to a person where a field's own rules ask one, else the
parts that it would have changed are protected.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from enrichment.decide.decision import Decision
from enrichment.decide.unit_case import UnitCase, listed
from enrichment.decide.unit_question import Dispute, ask
from enrichment.enums import ConflictReason, FieldOutcomeReason, FieldPolicy

LEAST_FOR_REVIEW = 0.3  # below this a value is not worth a person's time


def decide_unit(case: UnitCase, decisions: Mapping[str, Decision]) -> dict[str, Decision]:
    """The decisions on the parts of a unit that are otherwise than those on each by itself, which `decisions` has."""
    revision = _Revision(case, {part: decisions[part] for part in case.parts})
    revision.set_aside()
    return revision.decisions()


def _sources_of(decision: Decision) -> list[str]:
    """Whose values the decision writes or asks about."""
    asked = () if decision.question is None else decision.question.candidates
    return [*([decision.write.provider] if decision.write else []), *(candidate.provider for candidate in asked)]


class _Revision:
    """The revision of one unit: which answers count, and what the others would have changed."""

    def __init__(self, case: UnitCase, own: Mapping[str, Decision]) -> None:
        self._case = case
        self._own = own  # each part decided by itself
        self._left = list(case.answers)  # the sources whose answers count
        self._decided: dict[str, Decision | None] = dict(own)  # by these alone; None: none of them gives the part
        self._asking: dict[str, Decision] = {}  # disputing parts, with the decisions that ask a person

    def set_aside(self) -> None:
        """Set answers aside until those that are left agree with what the record will hold."""
        while aside := self._next_aside():
            self._left = [source for source in self._left if source not in aside]
            self._decided = {part: self._decide(part) for part in self._case.parts}

    def _decide(self, part: str) -> Decision | None:
        answers = self._case.answers
        candidates = [answers[source][part] for source in self._left if part in answers[source]]
        return self._case.decide(part, candidates) if candidates else None

    def _next_aside(self) -> set[str]:
        """The sources to set aside next: those that the record disputes, and then those that others dispute."""
        return (
            self._asking_sources(against_record=True)
            or self._disputed_by_the_record()
            or self._asking_sources(against_record=False)
            or self._disputed_by_others()
        )

    def _asking_sources(self, *, against_record: bool) -> set[str]:
        """The sources whose disputing parts are a question to a person: about the record's value, or among them."""
        asking = {
            part: decision
            for part in self._case.disputing
            if (decision := self._decided[part]) is not None
            and decision.question is not None
            and (decision.question.reason is not ConflictReason.PROVIDERS_DISAGREE) is against_record
        }
        self._asking |= asking
        return {source for decision in asking.values() for source in _sources_of(decision)}

    def _disputed_by_the_record(self) -> set[str]:
        """The sources whose answers would change something, though a value that stays disputes them."""
        return {source for source in self._active() if any(self._stays(part) for part in self._disputes(source))}

    def _disputed_by_others(self) -> set[str]:
        """The least believed source whose answer disagrees with what is written, or with a more believed answer."""
        sources = self._case.by_belief(self._active())
        disputed = [source for source in sources if self._disputes(source)]
        return set((disputed or self._rivals(sources))[-1:])

    def _active(self) -> list[str]:
        """The sources that something is written from, or asked about."""
        decided = [decision for decision in self._decided.values() if decision is not None]
        active = {source for decision in decided for source in _sources_of(decision)}
        return [source for source in self._left if source in active]

    def _disputes(self, source: str) -> list[str]:
        """The parts by which the record, once written, disputes the answer of a source."""
        answer = self._case.answers[source]
        differing = [
            part
            for part in self._case.disputing
            if part in answer and self._case.differs(part, self._after(part), answer[part].value)
        ]
        return differing or self._case.misfits(self._after, answer)

    def _rivals(self, sources: Sequence[str]) -> list[str]:
        """Of these sources, the most believed first, those that disagree with one that comes before them."""
        found: list[str] = []
        agreeing: list[str] = []
        for source in sources:
            if any(self._disagree(source, other) for other in agreeing):
                found.append(source)
            else:
                agreeing.append(source)
        return found

    def _disagree(self, source: str, other: str) -> bool:
        one, two = self._case.answers[source], self._case.answers[other]
        differ = any(
            self._case.differs(part, one[part].value, two[part].value)
            for part in self._case.disputing
            if part in one and part in two
        )
        return differ or bool(self._case.misfits(lambda part: two[part].value if part in two else None, one))

    def _after(self, part: str) -> Any:
        """What the record will hold."""
        decision = self._decided[part]
        return decision.write.value if decision is not None and decision.write else self._case.held(part)

    def _stays(self, part: str) -> bool:
        decision = self._decided[part]
        return decision is None or decision.write is None

    def decisions(self) -> dict[str, Decision]:
        """How each part ends."""
        case = self._case
        aside = [source for source in case.answers if source not in self._left]
        if not aside:
            return {}
        doubted = {source: parts for source in aside if (parts := self._doubted(source))}
        beside = self._asked_beside()
        asked: dict[str, Decision] = {}
        if self._asking or doubted:
            after = {part: value for part in case.parts if (value := self._after(part)) is not None}
            sources = [source for decision in beside.values() for source in _sources_of(decision)]
            asked = ask(Dispute(case, self._asking, doubted, sources, after, self._gains()))
        about = {*self._asking, *beside, *(part for parts in doubted.values() for part in parts)}
        about |= {part for part, own in self._own.items() if own.write is not None or own.question is not None}
        return {part: self._end(part, asked.get(part) if part in about else None) for part in case.parts}

    def _gains(self) -> dict[str, Mapping[str, float]]:
        """By how much each source's value of a part is likelier than what is there, as far as it is a question."""
        return {part: own.question.gains for part, own in self._own.items() if own.question is not None}

    def _doubted(self, source: str) -> list[str]:
        """The parts by which an answer that is not certain enough to be written contradicts the CRM or a person.

        It is a question all the same, since another part of the answer would have been written. A minimum that was set
        for such a part is kept to.
        """
        case, answer = self._case, self._case.answers[source]
        return [
            part
            for part in case.disputing
            if part in answer
            and part not in self._asking
            and self._own[part].reason is FieldOutcomeReason.BELOW_THRESHOLD
            and case.rule(part).policy is FieldPolicy.REVIEW
            and case.rule(part).min_confidence is None
            and answer[part].confidence >= LEAST_FOR_REVIEW
            and case.differs(part, case.held(part), answer[part].value)
            and case.decide(part, [answer[part]], LEAST_FOR_REVIEW).question is not None
        ]

    def _asked_beside(self) -> dict[str, Decision]:
        """The questions of other parts by the answers that are left; they join the unit's question."""
        return {
            part: decision
            for part, decision in self._decided.items()
            if decision is not None and decision.question is not None
        }

    def _end(self, part: str, asked: Decision | None) -> Decision:
        own, decided = self._own[part], self._decided[part]
        if decided is not None and decided.write is not None:
            return decided
        if asked is not None:
            return asked
        if decided is None and (own.write is not None or own.question is not None):
            return self._protect(own)
        return decided or own

    def _protect(self, own: Decision) -> Decision:
        source = own.provider or ""
        disputes = self._disputes(source) if source in self._case.answers else []
        another = f"{self._case.name_of(source)} gives another {self._case.unit.value}"
        differing = None
        if disputes:
            given = all(part in self._case.answers[source] for part in disputes)
            differing = f"{another}: its {listed(disputes)} differ{'s' if len(disputes) == 1 else ''}"
            differing = differing if given else f"{another}: the {listed(disputes)} cannot be of it"
        detail = differing or f"{another} than the source that was taken"
        return Decision(FieldOutcomeReason.PROTECTED, provider=own.provider, confidence=own.confidence, detail=detail)
