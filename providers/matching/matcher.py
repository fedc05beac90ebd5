"""Which company of a directory a record means: by domain, else by name, and how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from enrichment.normalize.names.company_name import core_name
from enrichment.normalize.text.text import words
from providers.directory.reference import Company
from providers.matching.name_index import Names, acronyms, country_of_suffix, full_key, label_of, loose_key, variants


@dataclass(frozen=True, slots=True)
class Clues:
    """What a record says of its company.

    `domains` are in order of trust; `shared_domains` belong to free-mail providers, which are companies too.
    `country` is an ISO 3166-1 code, `city` a folded name.
    """

    name: str | None = None
    domains: tuple[str, ...] = ()
    shared_domains: tuple[str, ...] = ()
    country: str | None = None
    city: str | None = None
    location_is_of_person: bool = False  # who may live anywhere; an agreeing location still helps


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
_BY_DOMAIN, _BY_DOMAIN_AND_NAME, _BY_SHARED_DOMAIN = 0.96, 0.98, 0.9
_NAME_DIFFERS, _NAME_IS_ANOTHERS, _DOMAINS_DIFFER = 0.7, 0.5, 0.6
_CLEAR_LEAD = 0.05  # a rival closer than this makes a name ambiguous
_OWN_FIRST = 0.1
_FOR_ANOTHER_MARKET = 0.97
_ELSEWHERE, _ELSEWHERE_ONE_WORD = 0.8, 0.65  # "Delta" in another country is likely another Delta
_OTHER_SUFFIX = 0.75  # mercury.com speaks against mercury.co.nz, but not as much as another word would
_LEAST = 0.6  # below this nothing is answered

_Scores = dict[int, float]


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

    def find(self, clues: Clues) -> Match | Miss:
        """The company that the clues single out. Where several fit equally it is a miss."""
        return self._find_by_domain(clues) or self._find_by_name(clues)

    def _find_by_domain(self, clues: Clues) -> Match | None:
        found = list(dict.fromkeys(filter(None, map(self._by_domain.get, clues.domains))))
        if clues.name is None:
            return Match(found[0], _BY_DOMAIN if len(found) == 1 else _DOMAINS_DIFFER, "domain") if found else None
        agreeing = [company for company in found if name_agrees(clues.name, company)]
        if len(agreeing) == 1:
            confidence = _BY_DOMAIN_AND_NAME if len(found) == 1 else _BY_DOMAIN
            return Match(agreeing[0], confidence, "domain and name")
        if found:
            return self._contradicted(clues, found)
        for company in filter(None, map(self._by_domain.get, clues.shared_domains)):
            if name_agrees(clues.name, company):
                return Match(company, _BY_SHARED_DOMAIN, "the name of a mail provider and its domain")
        return None

    def _contradicted(self, clues: Clues, found: Sequence[Company]) -> Match:
        if len(found) > 1:
            return Match(found[0], _DOMAINS_DIFFER, "domain; the record names domains of different companies")
        named = self._find_by_name(Clues(clues.name, country=clues.country, city=clues.city))
        if isinstance(named, Match) and named.company is found[0]:
            return Match(found[0], _BY_DOMAIN, "domain and name")
        if isinstance(named, Match) and named.confidence >= _CORE[1]:
            how = f"domain, but the name is that of {named.company.names[0]}"
            return Match(found[0], _NAME_IS_ANOTHERS, how)
        return Match(found[0], _NAME_DIFFERS, "domain, but the name differs")

    def _find_by_name(self, clues: Clues) -> Match | Miss:
        core = core_name(clues.name or "")
        if not clues.name or not core:
            return Miss("no company is known by this domain" if clues.domains else "no name and no domain")
        scores = self._weighed(self._called(clues.name, core), clues)
        _raise_to(scores, self._abbreviated(core, clues))
        how = "name"
        if max(scores.values(), default=0) < _LEAST:
            slips = self._weighed(self._misspelt(clues.name, core), clues)
            if max(slips.values(), default=0) > max(scores.values(), default=0):
                scores, how = slips, "name with a slip"
        return self._single_out(scores, how)

    def _called(self, name: str, core: str) -> _Scores:
        """The companies that go by this name, by how well it fits."""
        names, scores = self._names, dict[int, float]()
        full = full_key(name)
        if full != core:  # otherwise the record leaves the legal form open
            _raise(scores, names.full.get(full, {}), _FULL)
        _raise(scores, names.core.get(core, {}), _CORE if len(core) > 2 else _TWO_LETTERS)
        if len(core) >= _TELLING_LABEL:
            _raise(scores, names.labels.get(core.replace(" ", ""), {}), _AS_DOMAIN)
        loose = loose_key(name)
        _raise(scores, names.loose.get(loose, {}), _LOOSE_CORE if " " in loose else _ONE_WORD)
        if len(names.openings.get(core, ())) >= _OPENS_MANY:
            ranks = names.core.get(core, {})
            return {number: score * _COMMON_WORD[ranks.get(number, 1)] for number, score in scores.items()}
        return scores

    def _abbreviated(self, core: str, clues: Clues) -> _Scores:
        """The companies with these initials at the record's location. Initials alone fit too many."""
        scores: _Scores = {}
        if core.isalpha() and len(core) >= 3:
            _raise(scores, self._names.initials.get(core, {}), _INITIALS)
        weighed = self._weighed(scores, clues)
        return {number: score for number, score in weighed.items() if score > scores[number]}

    def _misspelt(self, name: str, core: str) -> _Scores:
        scores: _Scores = {}
        telling = len((loose_key(name) or core).replace(" ", ""))
        if telling < _SHORT - 1 or core in self._names.openings:
            return scores  # too short to tell, or spelt right as the first word of other names
        for spelling in {words(name), core}:
            for found, score in self._names.misspelt(spelling, 1 if telling < _LONG else 2):
                slip = score if telling >= _SHORT else _SHORT_SLIP
                _raise(scores, self._names.spelled[found], (slip, slip - _SLIP_OF_ALIAS))
        return scores

    def _weighed(self, scores: _Scores, clues: Clues) -> _Scores:
        """The scores after location and domain of each company."""
        weighed: _Scores = {}
        for number, score in scores.items():
            company = self._companies[number]
            weighed[number] = _weigh_domain(_weigh_location(score, company, clues), company, clues)
        return weighed

    def _single_out(self, scores: _Scores, how: str) -> Match | Miss:
        best_own = max((score for number, score in scores.items() if number < self._own), default=0.0)
        ranking = sorted(
            (
                (score, number)
                for number, score in scores.items()
                if number < self._own or score > best_own + _OWN_FIRST
            ),
            reverse=True,
        )
        if not ranking or ranking[0][0] < _LEAST:
            return UNKNOWN
        rivals = [number for score, number in ranking if score > ranking[0][0] - _CLEAR_LEAD]
        if len(rivals) > 1:
            return Miss(f"{len(rivals)} companies go by this name")
        return Match(self._companies[rivals[0]], ranking[0][0], how)


def _raise(scores: _Scores, ranks: Mapping[int, int], by_rank: Sequence[float]) -> None:
    for number, rank in ranks.items():
        scores[number] = max(scores.get(number, 0.0), by_rank[rank])


def _raise_to(scores: _Scores, others: _Scores) -> None:
    for number, score in others.items():
        scores[number] = max(scores.get(number, 0.0), score)


def _weigh_location(score: float, company: Company, clues: Clues) -> float:
    """An agreeing location raises the score; a differing one lowers it a little, since offices are not headquarters."""
    country = _agreement(clues.country, company.country)
    market = _agreement(clues.country, country_of_suffix(company.domain))
    if market > 0:
        country = 1  # the branch or shop for that country
    elif market < 0 < country:
        country, score = 0, score * _FOR_ANOTHER_MARKET
    city = _agreement(clues.city, company.city)
    doubt = {(1, 1): 0.25, (1, 0): 0.6, (1, -1): 0.7, (0, 1): 0.35, (-1, 1): 0.9}.get((country, city), 1.0)
    score = 1 - (1 - score) * doubt
    if clues.location_is_of_person:
        return score
    if country < 0:
        single_word = " " not in core_name(clues.name or "")
        return score * (0.95 if city > 0 else _ELSEWHERE_ONE_WORD if single_word else _ELSEWHERE)
    return score * 0.9 if city < 0 and country == 0 else score


def _agreement(a: str | None, b: str | None) -> int:
    return 0 if not a or not b else 1 if a == b else -1


def _weigh_domain(score: float, company: Company, clues: Clues) -> float:
    """A domain one edit away raises the score; another one lowers it, and less so if only the suffix differs."""
    if not clues.domains or not company.domain:
        return score
    if any(_alike(domain, company.domain) for domain in clues.domains):
        return 1 - (1 - score) * 0.5
    if any(label_of(domain) == label_of(company.domain) for domain in clues.domains):
        return score * _OTHER_SUFFIX
    return score * 0.65


def _alike(a: str, b: str) -> bool:
    return len(a.partition(".")[0]) > 4 and OSA.distance(a, b, score_cutoff=1) <= 1


def name_agrees(name: str, company: Company) -> bool:
    """Whether a record's name could be meant for this company: no proof, but no contradiction either."""
    core = core_name(name)
    if not core:
        return True
    label = label_of(company.domain)
    joined = core.replace(" ", "")
    if len(joined) >= 3 and (joined in label or label in joined or fuzz.ratio(joined, label) >= 75):
        return True
    others = [variant for name in (*company.names, *company.aliases) for variant in variants(name)]
    return any(_resembles(core, core_name(other)) or joined in acronyms(other, least=2) for other in others)


def _resembles(core: str, other: str) -> bool:
    return fuzz.token_set_ratio(core, other) >= 75
