"""The numbers of the recommendation, in one table.

All are natural logarithms of odds, or chances from 0 to 1, and mean what their names say of any field and any source.
They begin with what is known of such data (see the remarks) and were then fitted together by
`python -m tools.fit_recommendation`, which lowers the surprise (log loss) over drawn worlds and one half of the records
with known answers. A few were then moved back towards what is known: how good a CRM is, and signs that the changes of
drawn worlds make look weaker or, as slips of the keyboard, stronger than they are. By how much a proposal must lead was
chosen, on further worlds. `make score` reports on worlds of other seeds and on the other half.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from enrichment.normalize.field_kind import FieldKind


class Sign(StrEnum):
    """What speaks for or against a value, whoever gave it."""

    PHONE_OF_THE_COUNTRY = "phone_of_the_country"
    PHONE_OF_ANOTHER_COUNTRY = "phone_of_another_country"
    PHONE_SHARED = "phone_shared"  # freephone and the like
    PHONE_OF_ANOTHER_KIND = "phone_of_another_kind"  # a landline as a mobile
    PHONE_INVENTED = "phone_invented"  # 1234567890, 0000000
    EMAIL_OF_THE_COMPANY = "email_of_the_company"
    EMAIL_OF_ANOTHER_COMPANY = "email_of_another_company"
    EMAIL_PRIVATE = "email_private"  # at a free-mail provider, for somebody whose company has a domain
    EMAIL_SHARED = "email_shared"  # info@, sales@
    EMAIL_UNUSABLE = "email_unusable"
    EMAIL_OF_THE_PERSON = "email_of_the_person"  # it contains the name
    EMAIL_OF_ANOTHER_PERSON = "email_of_another_person"
    DOMAIN_AS_ELSEWHERE = "domain_as_elsewhere"  # as the record's e-mail, website or domain
    DOMAIN_NOT_AS_ELSEWHERE = "domain_not_as_elsewhere"
    DOMAIN_OF_NOBODY = "domain_of_nobody"  # of a mail provider
    NAME_AS_DOMAIN = "name_as_domain"  # a company's name that is in its domain
    NAME_NOT_AS_DOMAIN = "name_not_as_domain"
    PERSON_AS_ADDRESS = "person_as_address"  # a person's name that is in the e-mail or the profile's address
    PERSON_NOT_AS_ADDRESS = "person_not_as_address"
    PLACE_FITS = "place_fits"
    PLACE_MISFITS = "place_misfits"
    OF_ANOTHER_FIELD = "of_another_field"  # a country as a city, an address as a name
    TOO_GENERAL = "too_general"
    PLACEHOLDER = "placeholder"  # 99999 employees, founded in 1900
    IMPOSSIBLE = "impossible"  # founded in the future
    SHORTENED = "shortened"  # an acronym, or a part of what the other value says in full
    MISTYPED = "mistyped"  # a keystroke or two from the other value, and typed by hand
    UNREADABLE = "unreadable"
    MEANT = "meant"  # what the CRM's value is a slip or a short form of


@dataclass(frozen=True, slots=True)
class Weights:
    """See the module.

    `crm_dated`, `crm_undated`: the chance that a value of the CRM which a source disputes was right when it was set; a
    CRM that says when knows more of its values. `reviewer`: the same of a value that a reviewer chose. `facts`: by how
    much the CRM's odds differ for what a company is (industry, size, year), which nobody who sells keeps.
    `stated_slope`, `stated_offset`: what the odds of a stated confidence mean; sources overstate both ways.
    `stated_relative`: what it means that a source is less sure of a value than it is of its others.
    `trust_decisions`: how many decisions of reviewers weigh as much as what a source states of itself.
    `compared_most`: how much (0-1) what the organization's records show of a source counts at most, against what is
    known of all sources, and `compared_worth`: of how many values it counts half as much; `crm_worth`: of how many
    values of a field what the records show of an undated CRM counts as much as what is known of all CRMs; `crm_most`:
    no CRM is believed to be right more often, however seldom it is contradicted.
    `copies`: the share of agreeing sources that have their value from one another, or from one origin.
    `another`: the odds that an answer is about somebody else, before `agreement_with_record` and
    `difference_from_record` lower and raise them for each field in which it is as the record or not, `most_shared`
    fields at most.
    `size_half_lives`: how many times longer a size (a count within half) holds than a count; `size_doubt`: the share of
    a source's doubt about a figure that is about its size.
    `signs`: the odds of each sign; `most_signs` bounds their sum. `even`: odds nearer to one recommend nothing.
    `replacing`: the same against a value of the CRM with a date, once the organization's records show all of the CRM in
    the field, and `replacing_undated` against one without; `replacing_worth`: of how many values of the field it is
    half of that; `hardly_ever`: a source that errs less often (0-1) needs less of a lead.
    `least`: no value is recommended that is less likely (0-1) to be right.
    """

    crm_dated: float = 0.9
    crm_undated: float = 0.77
    reviewer: float = 0.97
    facts: float = -0.7
    stated_slope: float = 0.82
    stated_offset: float = -0.07
    stated_relative: float = 2.4
    trust_decisions: float = 14.0
    compared_worth: float = 60.0
    compared_most: float = 0.7
    crm_most: float = 0.97
    crm_worth: float = 75.0
    copies: float = 0.16
    another: float = -3.75
    agreement_with_record: float = 1.6
    difference_from_record: float = -0.8
    most_shared: int = 4
    size_half_lives: float = 60.0
    size_doubt: float = 0.1
    even: float = 0.15
    replacing: float = 0.7
    replacing_undated: float = 2.35
    replacing_worth: float = 20.0
    hardly_ever: float = 0.01
    least: float = 0.25
    most_signs: float = 4.0
    signs: Mapping[Sign, float] = field(
        default_factory=lambda: MappingProxyType(
            {
                Sign.PHONE_OF_THE_COUNTRY: 0.5,
                Sign.PHONE_OF_ANOTHER_COUNTRY: -0.9,
                Sign.PHONE_SHARED: -1.3,
                Sign.PHONE_OF_ANOTHER_KIND: -1.3,
                Sign.PHONE_INVENTED: -2.0,
                Sign.EMAIL_OF_THE_COMPANY: 0.5,
                Sign.EMAIL_OF_ANOTHER_COMPANY: -1.1,
                Sign.EMAIL_PRIVATE: -0.7,
                Sign.EMAIL_SHARED: -2.0,
                Sign.EMAIL_UNUSABLE: -3.0,
                Sign.EMAIL_OF_THE_PERSON: 0.5,
                Sign.EMAIL_OF_ANOTHER_PERSON: -1.6,
                Sign.DOMAIN_AS_ELSEWHERE: 0.6,
                Sign.DOMAIN_NOT_AS_ELSEWHERE: -0.6,
                Sign.DOMAIN_OF_NOBODY: -2.9,
                Sign.NAME_AS_DOMAIN: 1.7,
                Sign.NAME_NOT_AS_DOMAIN: -0.4,
                Sign.PERSON_AS_ADDRESS: 1.2,
                Sign.PERSON_NOT_AS_ADDRESS: -1.1,
                Sign.PLACE_FITS: 0.05,
                Sign.PLACE_MISFITS: -1.8,
                Sign.OF_ANOTHER_FIELD: -2.3,
                Sign.TOO_GENERAL: -2.7,
                Sign.PLACEHOLDER: -3.0,
                Sign.IMPOSSIBLE: -4.0,
                Sign.SHORTENED: -1.4,
                Sign.MISTYPED: -0.8,
                Sign.MEANT: 1.6,
                Sign.UNREADABLE: -1.0,
            }
        )
    )


FACTS = frozenset(
    {
        *(FieldKind.INDUSTRY, FieldKind.SUB_INDUSTRY, FieldKind.COUNT, FieldKind.MONEY, FieldKind.YEAR),
        *(FieldKind.NAICS, FieldKind.SIC, FieldKind.STOCK_SYMBOL, FieldKind.LIST, FieldKind.DESCRIPTION),
    }
)
# How often two sources that are both wrong, each for itself, say the same: many wrong cities, few wrong countries.
SAME_MISTAKE: Mapping[FieldKind, float] = MappingProxyType(
    {
        FieldKind.COUNTRY: 0.2,
        FieldKind.SENIORITY: 0.3,
        FieldKind.DEPARTMENT: 0.2,
        FieldKind.STATE: 0.1,
        FieldKind.INDUSTRY: 0.1,
        FieldKind.SUB_INDUSTRY: 0.1,
        FieldKind.CITY: 0.05,
        FieldKind.COUNT: 0.1,
        FieldKind.MONEY: 0.1,
        FieldKind.YEAR: 0.05,
        FieldKind.TITLE: 0.05,
    }
)
SAME_MISTAKE_OTHERWISE = 0.02

WEIGHTS = Weights()
