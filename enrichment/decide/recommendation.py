"""What a person is recommended to choose when a conflict is raised, and why: the likelier truth.

What the odds are made of is in `enrichment.recommend`; no source is known to it by its name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enrichment.decide.case import FieldCase
from enrichment.decide.merge import Candidate, Proposal
from enrichment.enums import Recommendation
from enrichment.recommend.observe import Question, observe
from enrichment.recommend.reasons import Reasons
from enrichment.recommend.weigh import Weighed, bound_of, verdict, weigh
from enrichment.recommend.weights import WEIGHTS, Weights


@dataclass(frozen=True, slots=True)
class Advice:
    """What is recommended, and why. `candidate` is the one to accept; `chance` (0-1) that what is recommended is right.

    Where nothing is recommended the chance is that of the current value, which is kept then. `gains` has for each
    source by how much likelier (-1 to 1, as a difference of chances) its value is than the current one, or than the
    best other one; `bound`: by how much (a logarithm of odds) one must lead.
    """

    recommendation: Recommendation
    candidate: Candidate | None
    because: str
    chance: float
    gains: Mapping[str, float]
    bound: float


def recommend(case: FieldCase, proposals: Sequence[Proposal], weights: Weights = WEIGHTS) -> Advice:
    """The likelier of the current value and these proposals, of which there is at least one.

    All that the sources said of the field speaks for and against them, also what cannot be chosen. An empty field is
    no value: there the best proposal stands against the next one.
    """
    question = Question(
        name=case.name,
        current=case.current,
        proposals=case.proposals,
        around=case.around(),
        now=case.now,
        half_life_days=case.half_life_days,
        is_held=case.confirms,
        is_far_off=case.is_contradiction,
        trust_in=case.trust_in,
    )
    observations = observe(question)
    found = weigh(observations, weights)
    held = next((weighed for weighed in found if weighed.observed.current is not None), None)
    best, *others = [weighed for weighed in found if _is_one_of(weighed, proposals)]
    rival = held if held is not None else next(iter(others), None)
    reasons = Reasons(case.name, case.name_of, best, rival, question, observations.said)
    chance = 0.0 if held is None else held.chance
    gains, bound = _gains([best, *others], held), bound_of(observations, best, weights)
    match verdict(best, rival, weights, bound=bound):
        case Recommendation.ACCEPT:
            assert best.observed.proposal is not None  # it is one of the proposals
            candidate = best.observed.proposal.support[0]
            return Advice(Recommendation.ACCEPT, candidate, reasons.to_accept(), best.chance, gains, bound)
        case Recommendation.KEEP if held is not None:
            return Advice(Recommendation.KEEP, None, reasons.to_keep(), chance, gains, bound)
        case _:
            return Advice(Recommendation.NONE, None, reasons.for_neither(), chance, gains, bound)


def _gains(found: Sequence[Weighed], held: Weighed | None) -> dict[str, float]:
    gains: dict[str, float] = {}
    for weighed in found:
        rivals = [held] if held is not None else [other for other in found if other is not weighed]
        gain = weighed.chance - (rivals[0].chance if rivals else 0.0)
        gains |= {sighting.candidate.provider: gain for sighting in weighed.observed.sightings}
    return gains


def _is_one_of(weighed: Weighed, proposals: Sequence[Proposal]) -> bool:
    given = weighed.observed.proposal
    return weighed.observed.current is None and given is not None and any(given is other for other in proposals)
