"""Which company of a directory a record means: by domain, else by name, and how sure that is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from enrichment.normalize.names.company_name import core_name
from enrichment.normalize.text.text import words
from providers.directory.reference import Company
from providers.matching.clues import Agreement, Clues, weighed
from providers.matching.likeness import By
from providers.matching.name_fit import goes_by, name_agrees
from providers.matching.name_index import Names, full_key, loose_key, without_share_class


@dataclass(frozen=True, slots=True)
class Match:
    """The company, the confidence (0-1) that the record means it, and what it was recognized by."""

    company: Company
    confidence: float
    how: str


@dataclass(frozen=True, slots=True)
class Miss:
    """Why no company was recognized, in plain words."""

    why: str


UNKNOWN = Miss("the company is not in the directory")
ANOTHER_NAME = Miss("the company that is known by this domain has another name")
NOT_ALONE = Miss("the name alone does not tell which company it is")
ELSEWHERE = Miss("a company of this name is known, but in another place")
OTHER_DOMAIN = Miss("a company of this name is known, but by another domain")
TOO_SHORT = Miss("a company of a similar name is known, but the name is too short to be taken for a slip")

# Confidence in a match by name alone, by what agrees and by rank: today's name, then a former name or brand.
_FULL, _CORE, _LOOSE_CORE = (0.96, 0.87), (0.90, 0.82), (0.80, 0.72)
_ONE_WORD = (0.55, 0.5)  # of a longer name: too little without an agreeing location
_TWO_LETTERS = (0.8, 0.7)
_COMMON_WORD = (0.87, 0.65)  # share of the confidence left in "National", which opens many a name
_OPENS_MANY = 5
_INITIALS = (0.55, 0.5)  # too little unless the location agrees
_AS_DOMAIN = (0.76, 0.76)  # "Philips" of philips.com
_TELLING_LABEL = 4  # letters; "ABC" is the label of abc.xyz and the name of many
_SLIP_OF_ALIAS = 0.06  # less for a former name or brand
_SHORT, _LONG = 5, 12  # letters that tell: below, one edit makes another word; above, two may be slips
_SHORT_SLIP = 0.45
_LEAST_LETTERS = 3
_SLIP_ANYWHERE_FROM = 16  # letters of a name that is known although it has a slip and stands in another place
_TELLING_ANYWHERE = 7  # letters of a single word that tells the company where its place is not known
# Letters that, beside the country, are enough; fewer are where so few companies of a country are known that no two of
# them have the same initials by chance.
_CLEAR_INITIALS, _FEW_IN_COUNTRY = 4, 250
_BY_DOMAIN, _BY_DOMAIN_AND_NAME, _BY_SHARED_DOMAIN = 0.97, 0.99, 0.97
# Where the name has nothing of the company at the domain: a rename or a brand if something else agrees.
_NAME_DIFFERS, _NAME_DIFFERS_BUT = 0.7, 0.8
_NAME_IS_ANOTHERS, _DOMAINS_DIFFER = 0.5, 0.6
# A rival closer than this makes a name ambiguous, unless it is so many times as doubtful.
_CLEAR_LEAD, _CLEAR_DOUBT = 0.05, 3.0
_OWN_FIRST = 0.1
_LEAST = 0.6  # below this nothing is answered
_DOUBT_LEFT = 0.5  # of a score, once nothing speaks against the company: measured by `make score`


class _Score(NamedTuple):
    value: float
    by: By


_Scores = dict[int, _Score]
_NONE = _Score(0.0, By.PART)


class Matcher:
    """Recognizes companies. `others` are known too, but where both could be meant `companies` go first."""

    def __init__(self, companies: Sequence[Company], others: Sequence[Company] = ()) -> None:
        own = {company.domain for company in companies}
        self._own = len(companies)
        self._companies = [*companies, *(company for company in others if company.domain not in own)]
        self._by_domain = {company.domain: company for company in self._companies if company.domain}

    @cached_property
    def _names(self) -> Names:
        return Names(self._companies)

    @cached_property
    def _countries_by_city(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = {}
        for company in self._companies:
            if company.city and company.country:
                found.setdefault(company.city, set()).add(company.country)
        return found

    @cached_property
    def _companies_by_country(self) -> Counter[str]:
        return Counter(company.country or "" for company in self._companies)

    def find(self, clues: Clues) -> Match | Miss:
        """The company that the clues single out. Where several fit equally it is a miss."""
        by_domain = self._find_by_domain(clues)
        if by_domain is not None:
            return by_domain
        by_name = self._find_by_name(clues)
        known = any(domain in self._by_domain for domain in clues.domains)
        return ANOTHER_NAME if known and isinstance(by_name, Miss) else by_name

    def _find_by_domain(self, clues: Clues) -> Match | None:
        found = list(dict.fromkeys(filter(None, map(self._by_domain.get, clues.domains))))
        if clues.name is None:
            return Match(found[0], _BY_DOMAIN if len(found) == 1 else _DOMAINS_DIFFER, "domain") if found else None
        agreeing = [company for company in found if name_agrees(clues.name, company)]
        if len(agreeing) == 1:
            confidence = _BY_DOMAIN_AND_NAME if len(found) == 1 else _BY_DOMAIN
            return Match(agreeing[0], confidence, "domain and name")
        # A page or a host below a domain is somebody else's where the name has nothing of the domain's company.
        surely = [company for company in found if agreeing or company.domain not in clues.pages]
        if surely:
            return self._contradicted(clues, surely)
        for company in filter(None, map(self._by_domain.get, clues.shared_domains)):
            if goes_by(clues.name, company):
                return Match(company, _BY_SHARED_DOMAIN, "its name and the domain of a site that many share")
        return None

    def _contradicted(self, clues: Clues, found: Sequence[Company]) -> Match | None:
        """What is left of a match by domain where the name is another one.

        None for an account of which nothing else agrees: its website may be a partner's, an owner's, a supplier's. An
        address at work says more of an employer, so that such a match stays one of a person's.
        """
        named = self._find_by_name(Clues(clues.name, country=clues.country, city=clues.city))
        if isinstance(named, Match) and named.company is found[0]:
            return Match(found[0], _BY_DOMAIN, "domain and name")
        agreement = Agreement.of(found[0], clues)
        if not clues.location_is_of_person:
            agrees = max(agreement.city, agreement.phone, agreement.founded, agreement.industry) > 0
            how = "domain and what else is known, but the name differs"
            return Match(found[0], _NAME_DIFFERS_BUT, how) if agrees and len(found) == 1 else None
        if len(found) > 1:
            return Match(found[0], _DOMAINS_DIFFER, "domain; the record names domains of different companies")
        if isinstance(named, Match) and named.confidence >= _CORE[1]:
            how = f"domain, but the name is that of {named.company.names[0]}"
            return Match(found[0], _NAME_IS_ANOTHERS, how)
        return Match(found[0], _NAME_DIFFERS, "domain, but the name differs")

    def _find_by_name(self, clues: Clues) -> Match | Miss:
        clues = replace(clues, name=without_share_class(clues.name)) if clues.name else clues
        core = core_name(clues.name or "")
        if not clues.name or not core:
            return Miss("no company is known by this domain" if clues.domains else "no name and no domain")
        scores = self._weighed(self._called(clues.name, core), clues)
        _raise_to(scores, self._abbreviated(core, clues))
        if _best(scores) < _LEAST:
            slips = self._weighed(self._misspelt(clues.name, core), clues)
            if _best(slips) > _best(scores):
                scores = slips
        return self._single_out(scores, clues, core)

    def _called(self, name: str, core: str) -> _Scores:
        """The companies that go by this name, by how well it fits."""
        names, scores = self._names, _Scores()
        full = full_key(name)
        if full.replace(" ", "") != core.replace(" ", ""):  # otherwise the record leaves the legal form open
            _raise(scores, names.full.get(full, {}), _FULL, By.FULL)
        _raise(scores, names.core.get(core, {}), _CORE if len(core) > 2 else _TWO_LETTERS, By.NAME)
        if len(core) >= _TELLING_LABEL:
            _raise(scores, names.labels.get(core.replace(" ", ""), {}), _AS_DOMAIN, By.NAME)
        loose = loose_key(name)
        of_loose, by = (_LOOSE_CORE, By.NAME) if " " in loose else (_ONE_WORD, By.PART)
        _raise(scores, names.loose.get(loose, {}), of_loose, by)
        if len(names.openings.get(core, ())) >= _OPENS_MANY:
            ranks = names.core.get(core, {})
            return {
                number: score._replace(value=score.value * _COMMON_WORD[ranks.get(number, 1)])
                for number, score in scores.items()
            }
        return scores

    def _abbreviated(self, core: str, clues: Clues) -> _Scores:
        """The companies with these initials at the record's location. Initials alone fit too many."""
        scores: _Scores = {}
        if core.isalpha() and len(core) >= 3:
            _raise(scores, self._names.initials.get(core, {}), _INITIALS, By.PART)
        found = self._weighed(scores, clues)
        return {number: score for number, score in found.items() if score.value > scores[number].value}

    def _misspelt(self, name: str, core: str) -> _Scores:
        scores: _Scores = {}
        telling = len((loose_key(name) or core).replace(" ", ""))
        if telling < _LEAST_LETTERS:
            return scores
        for spelling in {words(name), core}:
            for found, score in self._names.misspelt(spelling, 1 if telling < _LONG else 2):
                by = By.of_slip(name, found, score)
                slip = score if telling >= _SHORT or by is By.NAME else _SHORT_SLIP
                _raise(scores, self._names.spelled[found], (slip, slip - _SLIP_OF_ALIAS), by)
        return scores

    def _weighed(self, scores: _Scores, clues: Clues) -> _Scores:
        """The scores after all else that the record says of each company."""
        return {
            number: score._replace(value=weighed(score.value, self._companies[number], clues))
            for number, score in scores.items()
        }

    def _single_out(self, scores: _Scores, clues: Clues, core: str) -> Match | Miss:
        best_own = max((score.value for number, score in scores.items() if number < self._own), default=0.0)
        ranking = sorted(
            (
                (score.value, number)
                for number, score in scores.items()
                if number < self._own or score.value > best_own + _OWN_FIRST
            ),
            reverse=True,
        )
        if not ranking or ranking[0][0] < _LEAST:
            return UNKNOWN
        best = ranking[0][0]
        rivals = [
            number
            for score, number in ranking
            if score == best or (score > best - _CLEAR_LEAD and 1 - score < _CLEAR_DOUBT * (1 - best))
        ]
        if len(rivals) > 1:
            return Miss(f"{len(rivals)} companies go by this name")
        number = rivals[0]
        doubt = self._doubt(number, scores[number].by, clues, core)
        stated = 1 - (1 - scores[number].value) * _DOUBT_LEFT
        return doubt or Match(self._companies[number], stated, scores[number].by.words)

    def _doubt(self, number: int, by: By, clues: Clues, core: str) -> Miss | None:
        """Why the name is not enough: nothing else agrees and it is not telling, or the place is another one."""
        company = self._companies[number]
        agreement = Agreement.of(company, clues)
        if agreement.is_certain:
            return None
        letters = len(core.replace(" ", ""))
        if agreement.differs_in_place or self._is_far_away(company, clues):
            is_long = self._names.is_long(core, legal=by is By.FULL)
            is_whole = not by.is_slip or letters >= _SLIP_ANYWHERE_FROM
            return None if by is not By.PART and is_long and is_whole and agreement.country >= 0 else ELSEWHERE
        if agreement.domain < 0 and agreement.signs < 2 and max(agreement.city, agreement.founded) < 1:
            return OTHER_DOMAIN
        if by is By.PART and not self._is_telling_part(company, agreement, letters):
            return NOT_ALONE
        if by.is_slip and (letters < by.least_letters(agreement) or core in self._names.openings):
            return TOO_SHORT  # or spelt right as the first word of other names
        if agreement.signs:
            return None
        if (clues.city or clues.country) and (by.is_slip or (" " not in core and letters < _TELLING_ANYWHERE)):
            return NOT_ALONE
        sharing = self._names.core.get(core, {}).keys() if by is By.FULL else self._names.sharing(core)
        if len(sharing | {number}) > 1:
            return Miss(f"{len(sharing)} companies go by this name")
        return None if by is By.FULL or self._names.is_telling(core) else NOT_ALONE

    def _is_telling_part(self, company: Company, agreement: Agreement, letters: int) -> bool:
        """Whether initials or one word of a name are enough with what else agrees."""
        if agreement.city:
            return agreement.city > 0
        few = self._companies_by_country[company.country or ""] < _FEW_IN_COUNTRY
        return letters >= _CLEAR_INITIALS or agreement.signs > 1 or few

    def _is_far_away(self, company: Company, clues: Clues) -> bool:
        """Whether the record's city, as far as it is known, is in no country of the company's."""
        countries = self._countries_by_city.get(clues.city or "", set())
        return (
            bool(countries and company.country)
            and company.country not in countries
            and not (clues.country or clues.location_is_of_person)
        )


def _raise(scores: _Scores, ranks: Mapping[int, int], by_rank: Sequence[float], by: By) -> None:
    for number, rank in ranks.items():
        scores[number] = max(scores.get(number, _NONE), _Score(by_rank[rank], by), key=lambda score: score.value)


def _raise_to(scores: _Scores, others: _Scores) -> None:
    for number, score in others.items():
        scores[number] = max(scores.get(number, _NONE), score, key=lambda score: score.value)


def _best(scores: _Scores) -> float:
    return max((score.value for score in scores.values()), default=0.0)
