"""What a value of each kind of field looks like, so that a form for one can be built: its type, unit and format."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from enrichment.normalize.field_kind import FieldKind
from enrichment.normalize.places.country import country_names
from enrichment.normalize.titles.department import known_departments
from enrichment.normalize.titles.seniority import known_levels


class ValueType(StrEnum):
    """What a value is in JSON."""

    TEXT = "text"
    WHOLE_NUMBER = "whole_number"  # or a text where only a range is known
    TEXTS = "texts"


@dataclass(frozen=True, slots=True)
class FieldGuide:
    """How values of one kind are written once they are canonical.

    `format` is in words, `unit` what a number counts (None: nothing). `values` are those that are known, None where
    there is no list of them; `closed`: any other is refused. `examples` are canonical.
    """

    type: ValueType
    format: str
    examples: Sequence[str | int | Sequence[str]]
    unit: str | None = None
    values: Sequence[str] | None = None
    closed: bool = False


_TEXT, _NUMBER, _TEXTS = ValueType.TEXT, ValueType.WHOLE_NUMBER, ValueType.TEXTS


@cache
def guide_of(kind: FieldKind) -> FieldGuide:
    """How values of this kind are written."""
    match kind:
        case FieldKind.COUNTRY:
            names = country_names()
            return FieldGuide(_TEXT, "the English short name", ("Germany",), values=names, closed=True)
        case FieldKind.DEPARTMENT:
            return FieldGuide(_TEXT, "a department", ("Engineering",), values=known_departments())
        case FieldKind.SENIORITY:
            return FieldGuide(_TEXT, "a level", ("Director",), values=known_levels())
    return _GUIDES[kind]


_GUIDES = {
    FieldKind.TEXT: FieldGuide(_TEXT, "plain text", ("Customer",)),
    FieldKind.DESCRIPTION: FieldGuide(_TEXT, "plain text, some sentences", ("Makes robots.",)),
    FieldKind.PERSON_NAME: FieldGuide(_TEXT, "a first or a last name", ("Ada",)),
    FieldKind.COMPANY_NAME: FieldGuide(_TEXT, "the name of a company", ("Acme Robotics Inc.",)),
    FieldKind.TITLE: FieldGuide(_TEXT, "a job title", ("Head of Sales",)),
    FieldKind.EMAIL: FieldGuide(_TEXT, "an e-mail address", ("ada@acme.com",)),
    FieldKind.PHONE: FieldGuide(_TEXT, "E.164", ("+14155552671",)),
    FieldKind.WEBSITE: FieldGuide(_TEXT, "a web address", ("https://acme.com",)),
    FieldKind.DOMAIN: FieldGuide(_TEXT, "a domain", ("acme.com",)),
    FieldKind.COMPANY_DOMAIN: FieldGuide(_TEXT, "the domain of a company", ("acme.com",)),
    FieldKind.LINK: FieldGuide(_TEXT, "a web address", ("https://acme.com/logo.png",)),
    FieldKind.LINKEDIN_PERSON: FieldGuide(
        _TEXT, "the address of a person's page on LinkedIn", ("https://www.linkedin.com/in/ada",)
    ),
    FieldKind.LINKEDIN_COMPANY: FieldGuide(
        _TEXT, "the address of a company's page on LinkedIn", ("https://www.linkedin.com/company/acme",)
    ),
    FieldKind.TWITTER_HANDLE: FieldGuide(_TEXT, "a handle", ("ada",)),
    FieldKind.TWITTER_URL: FieldGuide(_TEXT, "the address of a page on X, formerly Twitter", ("https://x.com/acme",)),
    FieldKind.FACEBOOK_URL: FieldGuide(_TEXT, "the address of a page on Facebook", ("https://www.facebook.com/acme",)),
    FieldKind.INDUSTRY: FieldGuide(_TEXT, "the name of an industry", ("Software",)),
    FieldKind.SUB_INDUSTRY: FieldGuide(_TEXT, "the name of an industry", ("Industrial Machinery",)),
    FieldKind.COUNT: FieldGuide(_NUMBER, "a number, or a range such as 51-200", (120, "51-200"), unit="employees"),
    FieldKind.MONEY: FieldGuide(_NUMBER, "an amount a year, or a range of amounts", (1_200_000,), unit="USD"),
    FieldKind.YEAR: FieldGuide(_NUMBER, "a year", (1998,)),
    FieldKind.STREET: FieldGuide(_TEXT, "street and number", ("1 Main Street",)),
    FieldKind.CITY: FieldGuide(_TEXT, "a city", ("Berlin",)),
    FieldKind.STATE: FieldGuide(_TEXT, "a state, province or region", ("California",)),
    FieldKind.POSTAL_CODE: FieldGuide(_TEXT, "a postal code", ("94103",)),
    FieldKind.LIST: FieldGuide(_TEXTS, "a list of words", (["Python", "Redis"],)),
    FieldKind.NAICS: FieldGuide(_TEXT, "NAICS, 2 to 6 digits", ("541511",)),
    FieldKind.SIC: FieldGuide(_TEXT, "SIC, 4 digits", ("7372",)),
    FieldKind.STOCK_SYMBOL: FieldGuide(_TEXT, "a stock symbol", ("ACME",)),
}
