"""What a person is recommended to choose when a conflict is raised, and why."""

from collections.abc import Sequence

from enrichment.decide.case import FieldCase
from enrichment.decide.merge import Candidate, Proposal
from enrichment.enums import SOURCE_REVIEWER

Recommendation = tuple[Candidate | None, str]  # which candidate to take (None: keep the current value) and why

_EVEN = 0.5  # the share of judged values that people wanted
_LIKELY, _SURE = 0.8, 0.95  # confidences


def recommend_most_certain(case: FieldCase, proposals: Sequence[Proposal]) -> Recommendation:
    """Of sources that disagree: take the most certain one."""
    best, rival = proposals[0], proposals[1]
    because = (
        f"{case.name_of(best.provider)} is the most certain ({best.confidence:.2f} against {rival.confidence:.2f})"
    )
    return best.support[0], _with_history(case, best, because)


def keep_for_low_confidence(case: FieldCase, proposals: Sequence[Proposal]) -> Recommendation:
    """The source is not certain enough to be written."""
    best = proposals[0]
    because = (
        f"{case.name_of(best.provider)} is not certain enough ({best.confidence:.2f}, {case.minimum:.2f} is needed)"
    )
    return None, _with_history(case, best, because)


def keep_despite_distance(case: FieldCase, proposals: Sequence[Proposal]) -> Recommendation:
    """The source is not certain of its figure, but the CRM's is far from it."""
    best = proposals[0]
    doubt = f"{case.name_of(best.provider)} is not certain of its figure ({best.confidence:.2f})"
    because = f"{doubt}, but the CRM's is far from it"
    return None, _with_history(case, best, because)


def recommend_against_current(case: FieldCase, proposals: Sequence[Proposal]) -> Recommendation:
    """A source differs from the value that the CRM or a reviewer holds."""
    best, current = proposals[0], case.current
    assert current is not None  # there is something to differ from
    if current.source == SOURCE_REVIEWER and len(best.support) < 2:
        return None, "a reviewer chose the current value and only one source differs"
    if len(best.support) > 1:
        return best.support[0], f"{len(best.support)} independent sources agree on it"
    name, trust = case.name_of(best.provider), case.trust_in(best.provider)
    low, high = trust.interval
    if low > _EVEN or high < _EVEN:
        # What reviewers keep doing says more about this question than any figure of the source.
        return best.support[0] if low > _EVEN else None, trust.words(name, case.name)
    if case.is_outdated(best) and best.confidence < _SURE:
        return None, _with_history(case, best, f"the current value is newer than what {name} observed")
    if best.confidence < _LIKELY:
        because = f"{name} is not certain enough ({best.confidence:.2f}) to replace a CRM value"
        return None, _with_history(case, best, because)
    return best.support[0], _with_history(case, best, f"{name} is certain ({best.confidence:.2f})")


def _with_history(case: FieldCase, best: Proposal, because: str) -> str:
    history = case.trust_in(best.provider).words(case.name_of(best.provider), case.name)
    return f"{because}; {history}" if history else because
