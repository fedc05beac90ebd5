"""Directories of real companies: the reference data of the package, or a file of the operator's own."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from hashlib import blake2b
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from enrichment.catalogue import fields_of, is_equivalent
from enrichment.enums import EntityType
from enrichment.normalize.names.company_name import core_name
from providers.api import NO_MATCH, Answer, Finding, ProviderInfo, Question
from providers.directory.clues import clues_of
from providers.directory.file import read_companies
from providers.directory.reference import Company, packaged
from providers.matching.clues import Clues
from providers.matching.matcher import Match, Matcher, Miss

# What a company's entry says of somebody who works there. Where its head office is says nothing of them.
_OF_AN_EMPLOYEE = MappingProxyType(
    {
        "name": "company",
        "domain": "companyDomain",
        "website": "website",
        "industry": "industry",
        "numberOfEmployees": "numberOfEmployees",
        "annualRevenue": "annualRevenue",
    }
)
_OF_AN_ACCOUNT = fields_of(EntityType.ACCOUNT)
_CACHED_QUESTIONS = 16384  # the key of a question and its answer need the same search
_DOMAIN_RELIABILITY = 0.99  # a company may have several domains
_OF_BOTH = ("name", "industry", "numberOfEmployees", "foundedYear", "stockSymbol", "country", "city", "state")
_PACKAGED = {
    "directory": (
        (*_OF_BOTH, "phone", "street", "postalCode", "techStack", "tags"),
        "FinanceDatabase (MIT), datenanfragen.de (CC0), remoteintech/remote-jobs (ISC), elixir-companies (MIT)",
    ),
    "directory_archive": ((*_OF_BOTH, "subIndustry"), "YAGO3/Wikipedia (CC BY 3.0), S&P 500 constituents (ODC PDDL)"),
}
_NEEDS = "a company's domain or website, an e-mail address at work, or a company name"


@dataclass(frozen=True, slots=True)
class _Data:
    """What a directory answers from. `entries` by domain; `version` tells one content from another."""

    find: Callable[[Clues], Match | Miss]
    entries: Mapping[str, Company]
    version: str

    @classmethod
    def of(cls, matcher: Matcher, entries: Iterable[Company], content: bytes) -> "_Data":
        by_domain = {company.domain: company for company in entries if company.domain}
        return cls(lru_cache(_CACHED_QUESTIONS)(matcher.find), by_domain, blake2b(content, digest_size=6).hexdigest())

    def entry(self, company: Company) -> Company | None:
        return self.entries.get(company.domain) if company.domain else company


@cache
def _packaged_matcher() -> Matcher:
    # Both packaged directories recognize companies by the same list: a name that fits several companies of the
    # one must not look like the only one in the other.
    return Matcher(packaged("directory"), packaged("directory_archive"))


def _packaged_data(name: str) -> _Data:
    packed = resources.files("providers").joinpath("data", f"{name}.jsonl.gz").read_bytes()
    return _Data.of(_packaged_matcher(), packaged(name), packed)


class Directory:
    """A directory as a provider. It needs no network, and never fails to answer."""

    def __init__(self, info: ProviderInfo, load: Callable[[], _Data]) -> None:
        self.info = info
        self._load = load

    @classmethod
    def packaged(cls, directory_id: str, name: str) -> "Directory":
        """A directory that the package ships: `directory` or `directory_archive`. It is read at the first question."""
        known, attribution = _PACKAGED[directory_id]
        return cls(_info(directory_id, name, known, attribution), lambda: _packaged_data(directory_id))

    @classmethod
    def of_file(cls, directory_id: str, name: str, path: Path) -> "Directory":
        """A directory read from the operator's file, at once. Raises DirectoryFileError."""
        companies = read_companies(path)
        data = _Data.of(Matcher(companies), companies, path.read_bytes())
        known = {field for company in companies for field in company.fields}
        return cls(_info(directory_id, name, known, f"from {path.name}"), lambda: data)

    @cached_property
    def _data(self) -> _Data:
        return self._load()

    def input_key(self, question: Question) -> str | None:
        """Which company the record means, and how surely: the answer depends on nothing else.

        The leads of one company share one key, whatever else their records say.
        """
        clues = clues_of(question)
        if not clues.domains and not core_name(clues.name or ""):
            return None
        match = self._data.find(clues)
        asked_for = "account" if question.entity_type is EntityType.ACCOUNT else "person"
        if isinstance(match, Miss):
            known = (clues.country, clues.city, clues.phone, clues.industry, clues.founded)
            read = (core_name(clues.name or ""), *(str(clue or "") for clue in known))
            return "|".join((self._data.version, asked_for, "?", *clues.domains, *clues.shared_domains, *read))
        name = _name_for(clues, match.company)
        return "|".join(
            (self._data.version, asked_for, match.company.domain, name, f"{match.confidence:.3f}", match.how)
        )

    async def ask(self, question: Question) -> Answer:
        """Look the company up. It never raises, whatever the record holds."""
        return self.answer(question)

    def answer(self, question: Question) -> Answer:
        """The same at once."""
        clues = clues_of(question)
        match = self._data.find(clues)
        if isinstance(match, Miss):
            return Answer(matched=False, detail=match.why)
        entry = self._data.entry(match.company)
        if entry is None:
            return Answer(matched=False, detail="the company is not in this directory")
        of_account = question.entity_type is EntityType.ACCOUNT
        fields = {name: name for name in _OF_AN_ACCOUNT} if of_account else _OF_AN_EMPLOYEE
        findings = tuple(_findings(entry, match, _name_for(clues, entry), fields))
        return Answer(matched=True, findings=findings, detail=_detail(match, entry)) if findings else NO_MATCH


def _info(directory_id: str, name: str, known: Iterable[str], attribution: str) -> ProviderInfo:
    """What a directory says of itself; `known` are the fields that its entries have."""
    available = {"domain", "website", *known}
    of_account = frozenset(field for field in available if _OF_AN_ACCOUNT[field].enrichable)
    of_person = frozenset(_OF_AN_EMPLOYEE[field] for field in available & _OF_AN_EMPLOYEE.keys())
    gives = {EntityType.LEAD: of_person, EntityType.CONTACT: of_person, EntityType.ACCOUNT: of_account}
    return ProviderInfo(directory_id, name, gives, _NEEDS, attribution=attribution)


def _name_for(clues: Clues, company: Company) -> str:
    """The company's name, or that of its other names which the record uses already."""
    name = clues.name
    if name:
        for known in company.names:
            if is_equivalent(EntityType.ACCOUNT, "name", name, known):
                return known
    return company.names[0] if company.names else ""


def _findings(entry: Company, match: Match, name: str, fields: Mapping[str, str]) -> Iterator[Finding]:
    facts = {fact.field: (fact.value, fact.reliability, fact.observed_at) for fact in entry.facts()}
    observed_at = facts["name"][2] if "name" in facts else entry.observed_at
    if name and "name" in facts:
        facts["name"] = (name, *facts["name"][1:])
    if entry.domain:
        facts["domain"] = (entry.domain, _DOMAIN_RELIABILITY, observed_at)
        facts.setdefault("website", (f"https://{entry.domain}", _DOMAIN_RELIABILITY, observed_at))
    for field, (value, reliability, as_of) in facts.items():
        if field in fields:
            yield Finding(fields[field], value, round(match.confidence * reliability, 3), as_of)


def _detail(match: Match, entry: Company) -> str:
    called = ", ".join(filter(None, (entry.names[0] if entry.names else "", entry.domain)))
    return f"recognized by {match.how}: {called}"
