"""Why a value is recommended, in one plain sentence."""

from dataclasses import dataclass

from enrichment.decide.unit_case import listed
from enrichment.enums import SOURCE_REVIEWER
from enrichment.learn.reliability import Reliability
from enrichment.recommend.observe import Question
from enrichment.recommend.subject import Found
from enrichment.recommend.weigh import Weighed
from enrichment.recommend.weights import WEIGHTS
from enrichment.recommend.witnesses import HELD, Together
from enrichment.words import NameOf

_MOST_REASONS, _MOST_FOR = 3, 2  # so many are named, and so many of them that speak for a value
_TELLING = 0.3  # signs that move the odds by less go without saying
_STALE = 0.75  # what holds with less than this chance is worth saying
_SURE = 0.8
_TELLING_PARTS = 2
_COMPARED = 20  # values, that how often they are right is worth saying
_MORE_OFTEN = 0.03  # as is a difference of so much
_TELLING_CONFIDENCE = 0.7  # a logarithm of odds, by which a confidence tells a mistake


@dataclass(frozen=True, slots=True)
class Reasons:
    """What speaks for and against the best proposal and its rival: the current value, or another proposal."""

    field: str
    name_of: NameOf
    best: Weighed
    rival: Weighed | None
    question: Question
    said: Together

    def to_accept(self) -> str:
        """Why the best proposal is recommended."""
        claim = f"{self._of(self.best)} is likelier to be right{self._figures(self.best, self.rival)}"
        return self._sentence(claim, [*self._speaks_for(self.best)[:_MOST_FOR], *self._speaks_against(self.rival)])

    def to_keep(self) -> str:
        """Why the current value is recommended."""
        claim = f"the current value is likelier to be right{self._figures(self.rival, self.best)}"
        return self._sentence(claim, [*self._speaks_for(self.rival)[:_MOST_FOR], *self._speaks_against(self.best)])

    def for_neither(self) -> str:
        """Why nothing is recommended."""
        against = "the current value" if self._is_held(self.rival) else "another source's"
        claim = f"neither {self._of(self.best)} nor {against} is clearly likelier to be right"
        claim += self._figures(self.best, self.rival)
        return self._sentence(claim, self._speaks_against(self.best)[:1] + self._speaks_against(self.rival)[:1])

    def _sentence(self, claim: str, reasons: list[str]) -> str:
        told = list(dict.fromkeys(reasons))[:_MOST_REASONS]
        return f"{claim}: {'; '.join(told)}" if told else claim

    def _figures(self, one: Weighed | None, other: Weighed | None) -> str:
        """Both chances; nothing where they are the same in whole percent."""
        if one is None or other is None:
            return "" if one is None else f" ({one.chance * 100:.0f} %)"
        figures = f"{one.chance * 100:.0f} %", f"{other.chance * 100:.0f} %"
        return "" if figures[0] == figures[1] else f" ({figures[0]} against {figures[1]})"

    def _is_held(self, weighed: Weighed | None) -> bool:
        return weighed is not None and weighed.observed.current is not None

    def _of(self, weighed: Weighed) -> str:
        if weighed.observed.current is not None:
            return "the current value"
        return f"the value of {self.name_of(weighed.observed.sightings[0].candidate.provider)}"

    def _speaks_for(self, weighed: Weighed | None) -> list[str]:
        if weighed is None:
            return []
        told = [*self._support(weighed), *self._changed_together(weighed)]
        told += [f"{self._it(weighed)} {found.words}" for found in self._telling(weighed, for_it=True)]
        return told

    def _support(self, weighed: Weighed) -> list[str]:
        """Who says so, and how surely."""
        sightings, current = weighed.observed.sightings, weighed.observed.current
        mostly = self._mostly_right(weighed)
        names = list(dict.fromkeys(self.name_of(sighting.candidate.provider) for sighting in sightings))
        if current is not None:
            told = ["a reviewer chose it"] if current.source == SOURCE_REVIEWER else mostly
            return [*told, f"{_listed(names)} confirm{'s' if len(names) == 1 else ''} it"] if names else told
        if len(names) > 1:
            return [f"{_listed(names)} agree on it"]
        history = [
            sighting.trust.words(self.name_of(sighting.candidate.provider), self.field)
            for sighting in sightings
            if sighting.trust.judged
        ]
        stated = sightings[0].candidate.stated
        return [*history, *mostly, *([f"its source is {stated * 100:.0f} % sure of it"] if stated >= _SURE else [])]

    def _speaks_against(self, weighed: Weighed | None) -> list[str]:
        if weighed is None:
            return []
        told = [f"{self._it(weighed)} {found.words}" for found in self._telling(weighed, for_it=False)]
        told += self._rest_is_the_same(weighed)
        if weighed.fresh < _STALE:
            told.append(self._age(weighed))
        if weighed.observed.current is None and len(weighed.observed.sightings) == 1:
            sighting = weighed.observed.sightings[0]
            name = self.name_of(sighting.candidate.provider)
            if sighting.trust.judged:
                told.append(sighting.trust.words(name, self.field))
            elif (unsure := self._unusually_unsure(weighed)) is not None:
                told.append(unsure)
            elif sighting.candidate.stated < _SURE:
                told.append(f"{name} is only {sighting.candidate.stated * 100:.0f} % sure of its value")
            elif sighting.different > sighting.same:
                told.append(f"the rest of what {name} says does not fit the record")
        return told

    def _mostly_right(self, weighed: Weighed) -> list[str]:
        """That the values of the source, or of the CRM, are right more often than the other's, by how all agree."""
        other = self.rival if weighed is self.best else self.best
        own, others = self._reliability(weighed), self._reliability(other)
        if own is None or others is None or own[1].compared < _COMPARED:
            return []
        (name, by_own), (other_name, by_other) = own, others
        if by_own.accuracy - by_other.accuracy < _MORE_OFTEN:
            return []
        return [
            f"by what others say of the same, {name} was likely right in {by_own.accuracy * 100:.0f} % of"
            f" {by_own.compared:.0f} values, {other_name} in {by_other.accuracy * 100:.0f} %"
        ]

    def _reliability(self, weighed: Weighed | None) -> tuple[str, Reliability] | None:
        """Whose a value is, and what the organization's records show of them; None where they show nothing."""
        if weighed is None:
            return None
        current = weighed.observed.current
        source = HELD if current is not None else weighed.observed.sightings[0].candidate.provider
        said = self.said.of(source)
        if said is None or said.reliability is None:
            return None
        return self.name_of(source if current is None else current.source), said.reliability

    def _unusually_unsure(self, weighed: Weighed) -> str | None:
        """That the source is less sure of its value than it mostly is, which has meant something."""
        known, stated = self._reliability(weighed), weighed.observed.sightings[0].candidate.stated
        said = self.said.of(weighed.observed.sightings[0].candidate.provider)
        if known is None or said is None or known[1].told_by_confidence(said.key, stated) > -_TELLING_CONFIDENCE:
            return None
        usual, sure = known[1].usual_confidence(said.key), f"{stated * 100:.0f} %"
        if usual is None or f"{usual * 100:.0f} %" == sure:
            return None
        return f"{known[0]} is {sure} sure of its value, where it mostly is {usual * 100:.0f} %"

    def _changed_together(self, weighed: Weighed) -> list[str]:
        """That the source gives other fields otherwise as well which change together with this one."""
        if weighed.observed.current is not None:
            return []
        source = weighed.observed.sightings[0].candidate.provider
        same, different = self.said.beside(source)
        return [f"{self.name_of(source)} also gives another {listed(different)}"] if len(different) > len(same) else []

    def _rest_is_the_same(self, weighed: Weighed) -> list[str]:
        """That the source gives the fields as the record has them which would have changed together with this one."""
        if weighed.observed.current is not None:
            return []
        source = weighed.observed.sightings[0].candidate.provider
        same, different = self.said.beside(source)
        if len(same) < _TELLING_PARTS or different:
            return []
        return [
            f"{self.name_of(source)} gives the same {listed(same)} as the record, so that only this would have changed"
        ]

    def _age(self, weighed: Weighed) -> str:
        held = weighed.observed.current is not None
        seen_at = (
            self.question.held_seen_at
            if held
            else max(sighting.candidate.observed_at for sighting in weighed.observed.sightings)
        )
        if seen_at is None:
            return "nobody knows how old the current value is, and such values often change"
        return f"{self._it(weighed)} was seen on {seen_at:%Y-%m-%d}, before what the others saw"

    def _it(self, weighed: Weighed) -> str:
        return "the current value" if weighed.observed.current is not None else self._of(weighed)

    def _telling(self, weighed: Weighed, *, for_it: bool) -> list[Found]:
        signs = WEIGHTS.signs
        telling = [found for found in weighed.observed.signs if abs(signs[found.sign]) >= _TELLING]
        telling = [found for found in telling if (signs[found.sign] > 0) is for_it]
        return sorted(telling, key=lambda found: -abs(signs[found.sign]))


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
