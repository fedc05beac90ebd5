"""The question about a unit that goes to a person: its answers as wholes, and the same part by part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment.decide.decision import ConflictQuestion, Decision, UnitAnswer, UnitQuestion
from enrichment.decide.merge import Candidate
from enrichment.decide.unit_case import UnitCase, listed
from enrichment.enums import ConflictReason, FieldOutcomeReason, FieldPolicy, FieldUnit, Recommendation
from enrichment.normalize.contact.email import EmailKind, email_kind
from enrichment.normalize.contact.url import registrable_domain
from enrichment.recommend.weigh import of_gain

_GRAVEST = (ConflictReason.EXISTING_DIFFERS, ConflictReason.PROVIDERS_DISAGREE, ConflictReason.LOW_CONFIDENCE)


@dataclass(frozen=True, slots=True)
class Advice:
    """What is recommended about a unit, and why; `answer` is the one to accept."""

    answer: UnitAnswer | None
    recommendation: Recommendation
    because: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """Why a unit is a question.

    `asking` has the decisions on disputing parts that ask a person; `doubted` the answers, with their disputing parts,
    that are not certain enough to be written and yet contradict the record; `beside` the sources whose other parts are
    a question. `after` is what the record will hold, by part; `gains` has by part and source by how much likelier
    (-1 to 1, as a difference of chances) its value is than the current one.
    """

    case: UnitCase
    asking: Mapping[str, Decision]
    doubted: Mapping[str, Sequence[str]]
    beside: Sequence[str]
    after: Mapping[str, Any]
    gains: Mapping[str, Mapping[str, float]]


def ask(dispute: Dispute) -> dict[str, Decision]:
    """The end of each part that the question may hold back: one that an answer says otherwise."""
    case = dispute.case
    allowed = [part for part in case.parts if case.rule(part).policy is not FieldPolicy.NEVER]
    answers = [answer for source in case.by_belief(_sources(dispute)) if (answer := _answer(dispute, source, allowed))]
    given = {part for answer in answers for part in answer.parts}
    disputed = frozenset(part for part in case.disputing if _is_disputed(dispute, part, answers))
    advice = _recommend(dispute, answers)
    completed = {} if advice.answer is None else _completed(dispute, advice.answer, answers)
    because = advice.because
    if completed:
        because = f"{because}; {_taken_beside(case, completed)}"
    reason = _reason(dispute)
    changed = [answer for answer in answers if _changes_employer(dispute, answer)]
    if changed:
        reason, because = ConflictReason.JOB_CHANGE, f"{_another_employer(dispute, changed[0])}; {because}"
    elif disputed:
        because = f"{_what_differs(case, reason, disputed)}; {because}"
    question = UnitQuestion(
        unit=case.unit,
        reason=reason,
        parts=tuple(part for part in allowed if part in dispute.after or part in given),
        disputed=disputed,
        answers=tuple(answers),
        recommended=advice.answer,
        recommendation=advice.recommendation,
        because=because,
        completed=completed,
    )
    return {part: ended for part in allowed if (ended := _end_of_part(dispute, question, part)) is not None}


def _sources(dispute: Dispute) -> list[str]:
    asking = [
        candidate.provider
        for decision in dispute.asking.values()
        if decision.question is not None
        for candidate in decision.question.candidates
    ]
    return [*asking, *dispute.doubted, *dispute.beside]


def _answer(dispute: Dispute, source: str, allowed: Sequence[str]) -> UnitAnswer | None:
    """What a source says of the unit, without what a person turned down and nobody else says."""
    case = dispute.case
    parts = {
        part: candidate
        for part in allowed
        if (candidate := case.answers[source].get(part)) is not None
        and (_asks_about(dispute, part, source) or not case.rejected(part, candidate))
    }
    telling = [parts[part] for part in case.disputing if part in parts] or list(parts.values())
    if not telling:
        return None
    return UnitAnswer(
        provider=source,
        parts=parts,
        confidence=min(candidate.confidence for candidate in telling),
        stated=min(candidate.stated for candidate in telling),
        observed_at=min(candidate.observed_at for candidate in telling),
    )


def _asks_about(dispute: Dispute, part: str, source: str) -> bool:
    decision = dispute.asking.get(part)
    return (
        decision is not None
        and decision.question is not None
        and any(candidate.provider == source for candidate in decision.question.candidates)
    )


def _is_disputed(dispute: Dispute, part: str, answers: Sequence[UnitAnswer]) -> bool:
    values = [answer.parts[part].value for answer in answers if part in answer.parts]
    against = dispute.after.get(part, values[0] if values else None)
    return any(dispute.case.differs(part, against, value) for value in values)


def _recommend(dispute: Dispute, answers: Sequence[UnitAnswer]) -> Advice:
    """The answer that puts more of the disputing parts right than wrong, and why.

    These stand and fall together, so that it is their sum that counts: what is expected to be right after it is taken,
    less what is now. Of several such answers the one that mends most in all parts is recommended, as a part that it
    does not give stays as it is. The part that says most gives the reason.
    """
    questions = {part: decision.question for part, decision in dispute.asking.items() if decision.question is not None}
    weighed = [
        answer for answer in answers if any(answer.provider in question.gains for question in questions.values())
    ]
    if not weighed:
        because = f"{dispute.case.name_of(answers[0].provider)} is only {answers[0].confidence * 100:.0f} % sure of it"
        return Advice(None, Recommendation.KEEP, because)
    disputing = {part: question.gains for part, question in questions.items()}
    gains = [(_gain(disputing, answer), answer) for answer in weighed]
    best_gain, best = max(gains, key=lambda pair: pair[0])
    bound = max(question.bound for question in questions.values())
    recommendation = of_gain(best_gain, bound=bound)
    if recommendation is Recommendation.ACCEPT:
        better = [answer for gain, answer in gains if of_gain(gain, bound=bound) is Recommendation.ACCEPT]
        best = max(better, key=lambda answer: _gain({**dispute.gains, **disputing}, answer))
    if recommendation is Recommendation.KEEP and not any(part in dispute.case.current for part in questions):
        recommendation = Recommendation.NONE
    telling = [question for question in questions.values() if question.recommendation is recommendation]
    if not telling:
        return Advice(None, Recommendation.NONE, "what differs does not speak for one answer")
    because = max(telling, key=lambda question: _tells(question, best)).because
    return Advice(best if recommendation is Recommendation.ACCEPT else None, recommendation, because)


def _gain(gains: Mapping[str, Mapping[str, float]], answer: UnitAnswer) -> float:
    """How many more values are expected to be right once the answer is taken; below 0: fewer."""
    return sum(by[answer.provider] for by in gains.values() if answer.provider in by)


def _completed(dispute: Dispute, accepted: UnitAnswer, answers: Sequence[UnitAnswer]) -> dict[str, Candidate]:
    """Parts that the accepted answer does not give, of answers that agree with it: the old ones would stay beside it.

    Each is clearly likelier than what the record holds.
    """
    questions = {part: decision.question for part, decision in dispute.asking.items() if decision.question is not None}
    gains = {**dispute.gains, **{part: question.gains for part, question in questions.items()}}
    found: dict[str, tuple[float, Candidate]] = {}
    for answer in answers:
        if not _agrees(dispute.case, accepted, answer):
            continue
        for part, candidate in answer.parts.items():
            gain = gains.get(part, {}).get(answer.provider, 0.0)
            if part not in accepted.parts and of_gain(gain) is Recommendation.ACCEPT:
                found[part] = max(found.get(part, (0.0, candidate)), (gain, candidate), key=lambda pair: pair[0])
    return {part: candidate for part, (_, candidate) in found.items()}


def _agrees(case: UnitCase, accepted: UnitAnswer, other: UnitAnswer) -> bool:
    """Whether another answer is about the same place or employer: it shares a disputing part, and differs in none."""
    shared = [part for part in case.disputing if part in accepted.parts and part in other.parts]
    if other is accepted or not shared:
        return False
    return not any(case.differs(part, accepted.parts[part].value, other.parts[part].value) for part in shared)


def _taken_beside(case: UnitCase, completed: Mapping[str, Candidate]) -> str:
    by: dict[str, list[str]] = {}
    for part in case.parts:
        if part in completed:
            by.setdefault(completed[part].provider, []).append(part)
    return " and ".join(
        f"the {listed(parts)} from {case.name_of(source)}, which agrees" for source, parts in by.items()
    )


def _tells(question: ConflictQuestion, answer: UnitAnswer) -> tuple[bool, float]:
    """How much a part's question says about the answer; most where it is about that answer's own value."""
    recommended = question.recommended
    return recommended is None or recommended.provider == answer.provider, abs(question.gains.get(answer.provider, 0.0))


def _reason(dispute: Dispute) -> ConflictReason:
    reasons = {decision.question.reason for decision in dispute.asking.values() if decision.question is not None}
    return next((reason for reason in _GRAVEST if reason in reasons), ConflictReason.EXISTING_DIFFERS)


def _what_differs(case: UnitCase, reason: ConflictReason, disputed: frozenset[str]) -> str:
    parts = [part for part in case.parts if part in disputed]
    if reason is ConflictReason.PROVIDERS_DISAGREE:
        return f"the sources disagree about the {listed(parts)}"
    return f"the {listed(parts)} {'differs' if len(parts) == 1 else 'differ'}"


def _changes_employer(dispute: Dispute, answer: UnitAnswer) -> bool:
    """Whether the answer names another employer: company and domain differ, as far as both are known."""
    if dispute.case.unit is not FieldUnit.EMPLOYMENT or "company" not in answer.parts:
        return False
    both = [part for part in dispute.case.disputing if part in answer.parts and part in dispute.after]
    if not both or not all(dispute.case.differs(part, dispute.after[part], answer.parts[part].value) for part in both):
        return False
    domain = answer.parts.get("companyDomain")
    # The mailbox of the record may show that only the company's name is another.
    return domain is None or _mail_domain(dispute.after.get("email")) != registrable_domain(domain.value)


def _mail_domain(email: Any) -> str | None:
    """The domain of a mailbox that an employer gives; None for any other."""
    if not isinstance(email, str) or email_kind(email) not in {EmailKind.CORPORATE, EmailKind.ROLE}:
        return None
    return registrable_domain(email.rpartition("@")[2])


def _another_employer(dispute: Dispute, answer: UnitAnswer) -> str:
    """Old and new employer and title, and the e-mail address that is at risk, in words."""
    old, new = dispute.after, {part: candidate.value for part, candidate in answer.parts.items()}
    words = (
        f"{dispute.case.name_of(answer.provider)} names another employer, {_employer(new)} instead of {_employer(old)}"
    )
    if "title" in new and new["title"] != old.get("title"):
        words += f", as {new['title']}" + (f" instead of {old['title']}" if old.get("title") else "")
    if _is_at_risk(dispute, new):
        words += f", so that {old['email']} may no longer reach the person"
    return words


def _employer(values: Mapping[str, Any]) -> str:
    company, domain = values.get("company"), values.get("companyDomain")
    return f"{company} ({domain})" if company and domain else str(company or domain)


def _is_at_risk(dispute: Dispute, new: Mapping[str, Any]) -> bool:
    """Whether the record's mailbox is one of the employer that the person would have left."""
    domain, old = _mail_domain(dispute.after.get("email")), dispute.after.get("companyDomain")
    if domain is None or not dispute.case.differs("email", dispute.after["email"], new.get("email", "")):
        return False
    return old is None or registrable_domain(old) == domain


def _end_of_part(dispute: Dispute, question: UnitQuestion, part: str) -> Decision | None:
    """How a part ends that the question holds back; None where no answer says otherwise than the record."""
    held = dispute.after.get(part)
    candidates = tuple(
        candidate
        for answer in question.answers
        if (candidate := answer.parts.get(part)) is not None
        and (held is None or dispute.case.differs(part, held, candidate.value))
    )
    if not candidates:
        return None
    accepted = {} if question.recommended is None else question.recommended.parts
    recommended = accepted.get(part, question.completed.get(part))
    asked = ConflictQuestion(
        reason=question.reason,
        candidates=candidates,
        recommended=recommended if recommended in candidates else None,
        recommendation=question.recommendation,
        because=question.because,
        whole=question,
    )
    best = candidates[0]
    return Decision(
        FieldOutcomeReason.CONFLICT,
        provider=best.provider,
        confidence=best.confidence,
        detail=question.because,
        question=asked,
    )
