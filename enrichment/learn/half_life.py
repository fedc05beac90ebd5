"""How fast a field's values change: a half-life for each, fitted from an organization's own history.

The model is the exponential one: in any short time a value changes with the same chance, its rate, whatever its
age; after one half-life (ln 2 / rate) half of the values still hold. What is believed of a rate starts with the
prior of the field, worth two changes, and moves with what was seen:

- A source that saw the same value at two moments: that time passed without a change.
- A source that saw another value later: the change lies somewhere between the two moments. Such gaps are weighed
  as what they are (Cho and Garcia-Molina, "Estimating Frequency of Change", ACM TOIT 3(3), 2003, on incomplete
  change histories); to date each change to the moment it was found would make values look steadier than they are.
- A CRM that sent another value: it sends a change as it happens, and until then, or until now, there was none.

The last is worth little where nobody keeps the CRM up, as its silence then says nothing. So the time in which only
the CRM could have sent a change counts as far as it has sent changes, and as what sources found does not contradict it.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from enrichment.learn.gamma import gamma_quantile

YEAR_DAYS = 365.25
PRIOR_CHANGES = 2.0  # what a prior is worth, in changes seen
SHARE_WITHIN = 0.95  # how often a rate lies within the interval that is shown for it
_FOR_EVER = 100.0
_MOST_ROUNDS = 500

# Half-lives in years. Jobs: workers have been 3.9 years with their employer in the median (BLS, Employee Tenure in
# 2024), which for an exponential is the half-life of the job itself; titles change within a job too. Business
# contacts are said to go bad at 2.1 % a month (MarketingSherpa), a half-life of 2.7 years: e-mails end with the job,
# desk phones with the office. Movers keep mobile numbers; 8.7 % of people move house in a year (US Census, 2022).
_PERSON_YEARS = {
    "firstName": 60.0,
    "lastName": 30.0,  # marriages
    "email": 2.7,
    "phone": 2.7,
    "mobilePhone": 6.0,
    "title": 2.0,
    "department": 3.0,
    "seniorityLevel": 3.0,
    "company": 3.9,
    "companyDomain": 3.9,
    "linkedinUrl": 15.0,
    "twitterHandle": 8.0,
    "avatarUrl": 1.0,  # addresses of pictures expire
    "industry": 6.0,  # many who change the job stay in the industry
    "numberOfEmployees": 1.0,  # of the company, which counts anew each year
    "annualRevenue": 1.0,
    "website": 3.9,
    "street": 4.0,
    "city": 6.0,
    "state": 8.0,
    "postalCode": 4.5,
    "country": 20.0,
}
# Companies: what they are lasts for decades, what they count is counted anew each year, offices move when a lease
# of five to ten years ends, descriptions and tools follow fashion.
_ACCOUNT_YEARS = {
    "name": 30.0,
    "domain": 20.0,
    "website": 15.0,
    "phone": 6.0,
    "industry": 15.0,
    "subIndustry": 10.0,
    "type": 3.0,
    "numberOfEmployees": 1.0,
    "annualRevenue": 1.0,
    "foundedYear": _FOR_EVER,
    "description": 3.0,
    "logoUrl": 3.0,
    "linkedinUrl": 15.0,
    "twitterUrl": 8.0,
    "facebookUrl": 10.0,
    "street": 5.0,
    "city": 25.0,  # most offices move within their city
    "state": 30.0,
    "postalCode": 6.0,
    "country": 40.0,
    "techStack": 1.5,
    "tags": 2.0,
    "naicsCode": 15.0,
    "sicCode": 15.0,
    "stockSymbol": 15.0,  # listings end, and symbols are renamed
    "parentCompany": 8.0,  # mergers
}
PRIOR_DAYS: Mapping[EntityType, Mapping[str, float]] = MappingProxyType(
    {
        entity_type: MappingProxyType(
            {
                name: YEAR_DAYS * (_ACCOUNT_YEARS if entity_type is EntityType.ACCOUNT else _PERSON_YEARS)[name]
                for name in fields_of(entity_type)
            }
        )
        for entity_type in EntityType
    }
)


@dataclass(slots=True)
class Evidence:
    """What a history says of one field of one entity type, added up over its values. Times in days.

    `confirmed`: between two moments at which a source saw the same value. `gaps`: how many changes sources found, by
    the time between the last observation of the old value and the first of the new. `crm_silent`: while only the CRM
    could have sent a change and did not; `crm_edits`: the changes that it sent.
    """

    confirmed: float = 0.0
    gaps: Counter[float] = field(default_factory=Counter)
    crm_silent: float = 0.0
    crm_edits: int = 0

    @property
    def changes(self) -> int:
        return self.gaps.total() + self.crm_edits


@dataclass(frozen=True, slots=True)
class HalfLife:
    """A fitted half-life, in days, with the bounds that hold the true one in 95 of 100 cases.

    `changes` were seen in `observed_days` of watching, all values together.
    """

    days: float
    low_days: float
    high_days: float
    prior_days: float
    changes: int = 0
    observed_days: float = 0.0


def fit(prior_days: float, seen: Evidence) -> HalfLife:
    """The half-life of a field, by its prior and by what was seen."""
    before = PRIOR_CHANGES * prior_days / math.log(2)
    silent = min(_believed_silence(seen, before), seen.crm_silent * _uncontradicted_share(seen))
    counted = PRIOR_CHANGES + seen.changes
    known = before + seen.confirmed + silent
    rate = _rate(counted, known, seen.gaps)
    # A change that lies in a wide gap says less of the rate than one whose moment is known.
    worth = PRIOR_CHANGES + seen.crm_edits + sum(n * _sharpness(rate * gap) for gap, n in seen.gaps.items())
    outside = (1 - SHARE_WITHIN) / 2
    fastest, slowest = (gamma_quantile(worth, share) / worth * rate for share in (1 - outside, outside))
    return HalfLife(
        days=math.log(2) / rate,
        low_days=math.log(2) / fastest,
        high_days=math.log(2) / slowest,
        prior_days=prior_days,
        changes=seen.changes,
        observed_days=seen.confirmed + silent + sum(n * _before_change(rate, gap) for gap, n in seen.gaps.items()),
    )


def _rate(counted: float, known: float, gaps: Mapping[float, int]) -> float:
    """The likeliest rate a day, `counted` changes having been seen in `known` days and in the gaps.

    Expectation and maximization in turn: the time until each change follows from the rate, and the rate from it.
    """
    rate = counted / (known + sum(n * gap for gap, n in gaps.items()) / 2)
    for _ in range(_MOST_ROUNDS if gaps else 0):
        better = counted / (known + sum(n * _before_change(rate, gap) for gap, n in gaps.items()))
        if abs(better - rate) < 1e-9 * rate:
            break
        rate = better
    return rate


def _before_change(rate: float, gap: float) -> float:
    """How long, on average, a value held that changed at least once within a gap of so many days."""
    x = rate * gap
    if x < 1e-5:
        return gap / 2
    return 1 / rate - (gap / math.expm1(x) if x < 700 else 0.0)


def _sharpness(x: float) -> float:
    """What a change within a gap says of the rate, against one whose moment is known (1). `x` is rate times gap."""
    if x < 1e-4:
        return 1.0
    return (x / 2 / math.sinh(x / 2)) ** 2 if x < 700 else 0.0


def _believed_silence(seen: Evidence, before: float) -> float:
    """The days of the CRM's silence that count, by how often it has sent a change.

    One that never has may not be kept up: then its silence is worth no more than the prior (`before`, in days).
    """
    return min(seen.crm_silent, before + seen.crm_silent * seen.crm_edits / (seen.crm_edits + 1))


def _uncontradicted_share(seen: Evidence) -> float:
    """How much (0-1) of the CRM's silence counts, so that it contradicts no observation of a source.

    What observations say for sure is the least rate that is not far less likely (by 1.92 in the logarithm, as for an
    interval of 95 %) than their best one.
    """
    if not seen.gaps or seen.crm_silent <= 0:
        return 1.0
    best = _rate(seen.gaps.total(), max(seen.confirmed, 1e-3), seen.gaps)
    low, high = 0.0, best
    limit = _likelihood(best, seen) - 1.92
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _likelihood(middle, seen) < limit else (low, middle)
    return min((seen.crm_edits + 0.5) / (seen.crm_silent * high), 1.0)


def _likelihood(rate: float, seen: Evidence) -> float:
    """The logarithm of how likely it is that sources observed what they did at this rate."""
    found = sum(n * math.log(max(-math.expm1(-rate * gap), 1e-300)) for gap, n in seen.gaps.items())
    return found - rate * seen.confirmed
