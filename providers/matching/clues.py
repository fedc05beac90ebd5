"""What a record says of its company, and how far a company's entry agrees with it."""

from dataclasses import dataclass

from rapidfuzz.distance import OSA

from enrichment.catalogue import is_equivalent, is_too_generic
from enrichment.enums import EntityType
from enrichment.normalize.contact.phone import phone_key
from enrichment.normalize.names.company_name import core_name
from providers.directory.reference import Company
from providers.matching.name_index import country_of_suffix, label_of

_FOR_ANOTHER_MARKET = 0.97
_ELSEWHERE, _ELSEWHERE_ONE_WORD = 0.8, 0.65  # "Delta" in another country is likely another Delta
_OTHER_SUFFIX = 0.75  # mercury.com speaks against mercury.co.nz, but not as much as another word would
_OTHER_DOMAIN = 0.65
_TELLING_DOMAIN = 4  # letters of a label: one edit makes another word of a shorter one
# What is left of the doubt when a sign agrees.
_BY_DOMAIN, _BY_PHONE, _BY_YEAR, _BY_INDUSTRY = 0.5, 0.3, 0.4, 0.45


@dataclass(frozen=True, slots=True)
class Clues:
    """What a record says of its company.

    `domains` are in order of trust. `pages` are those of them that only the address of a page or of a host below them
    names: the site may be somebody else's. `shared_domains` belong to mail providers and to sites that many share,
    which are companies too. `country` is an ISO 3166-1 code, `city` a folded name, `phone` in E.164.
    """

    name: str | None = None
    domains: tuple[str, ...] = ()
    pages: frozenset[str] = frozenset()
    shared_domains: tuple[str, ...] = ()
    country: str | None = None
    city: str | None = None
    phone: str | None = None
    industry: str | None = None
    founded: int | None = None
    location_is_of_person: bool = False  # who may live anywhere; an agreeing location still helps


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a company's entry agrees with the clues beside its name: 1 agrees, -1 differs, 0 not both are known.

    `differs_in_place`: the record's place is surely another one.
    """

    country: int
    city: int
    domain: int
    phone: int
    industry: int
    founded: int
    differs_in_place: bool

    @classmethod
    def of(cls, company: Company, clues: Clues) -> "Agreement":
        country = _same(clues.country, company.country)
        if _same(clues.country, country_of_suffix(company.domain)) > 0:
            country = 1  # the branch or shop for that country
        city = _same(clues.city, company.city)
        return cls(
            country=country,
            city=city,
            domain=_domain_agrees(company, clues),
            phone=_same(_line(clues.phone), _line(company.value("phone"))),
            industry=_industry_agrees(company, clues),
            founded=_same(clues.founded, company.value("foundedYear")),
            differs_in_place=not clues.location_is_of_person
            and ((country < 0 and city < 1) or (city < 0 and country < 1)),
        )

    @property
    def is_certain(self) -> bool:
        """Whether something agrees that two companies of similar names hardly share."""
        in_place = self.city > 0 or self.country > 0
        return self.domain > 0 or self.phone > 0 or (in_place and (self.founded > 0 or self.industry > 0 < self.city))

    @property
    def signs(self) -> int:
        """How many of them agree."""
        return sum(sign > 0 for sign in (self.country, self.city, self.domain, self.phone, self.industry, self.founded))


def weighed(score: float, company: Company, clues: Clues) -> float:
    """The score of a name after what else agrees and differs."""
    agreement = Agreement.of(company, clues)
    score = _weigh_domain(_weigh_location(score, company, clues), company, clues, agreement)
    for sign, doubt in (
        (agreement.phone, _BY_PHONE),
        (agreement.founded, _BY_YEAR),
        (agreement.industry, _BY_INDUSTRY),
    ):
        if sign > 0:
            score = 1 - (1 - score) * doubt
    return score


def _weigh_location(score: float, company: Company, clues: Clues) -> float:
    """An agreeing location raises the score; a differing one lowers it a little, since offices are not headquarters."""
    country = _same(clues.country, company.country)
    market = _same(clues.country, country_of_suffix(company.domain))
    if market > 0:
        country = 1
    elif market < 0 < country:
        country, score = 0, score * _FOR_ANOTHER_MARKET
    city = _same(clues.city, company.city)
    doubt = {(1, 1): 0.25, (1, 0): 0.6, (1, -1): 0.7, (0, 1): 0.35, (-1, 1): 0.9}.get((country, city), 1.0)
    score = 1 - (1 - score) * doubt
    if clues.location_is_of_person:
        return score
    if country < 0:
        single_word = " " not in core_name(clues.name or "")
        return score * (0.95 if city > 0 else _ELSEWHERE_ONE_WORD if single_word else _ELSEWHERE)
    return score * 0.9 if city < 0 and country == 0 else score


def _weigh_domain(score: float, company: Company, clues: Clues, agreement: Agreement) -> float:
    """A domain one edit away raises the score; another one lowers it, and less so if only the suffix differs."""
    if agreement.domain > 0:
        return 1 - (1 - score) * _BY_DOMAIN
    if agreement.domain < 0:
        return score * _OTHER_DOMAIN
    return score * _OTHER_SUFFIX if clues.domains and company.domain else score


def _domain_agrees(company: Company, clues: Clues) -> int:
    """As the others of `Agreement`; a domain that differs in its suffix alone neither agrees nor differs."""
    if not clues.domains or not company.domain:
        return 0
    if any(_alike(domain, company.domain) for domain in clues.domains):
        return 1
    return 0 if any(label_of(domain) == label_of(company.domain) for domain in clues.domains) else -1


def _alike(a: str, b: str) -> bool:
    return len(a.partition(".")[0]) > _TELLING_DOMAIN and OSA.distance(a, b, score_cutoff=1) <= 1


def _line(phone: str | None) -> str | None:
    return phone_key(phone).partition(";")[0] if phone else None


def _industry_agrees(company: Company, clues: Clues) -> int:
    """Whether the industries are one. They never differ for sure: each source has its own words."""
    known = company.value("industry")
    if not known or not clues.industry or is_too_generic(EntityType.ACCOUNT, "industry", clues.industry):
        return 0
    return int(is_equivalent(EntityType.ACCOUNT, "industry", clues.industry, known))


def _same(a: object, b: object) -> int:
    return 0 if not a or not b else 1 if a == b else -1
