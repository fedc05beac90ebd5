"""Whether places fit each other: a city, a state or a postal code its country, as far as it is known."""

import re
from functools import cache, lru_cache

from enrichment.normalize.places.address import has_digits_of
from enrichment.normalize.places.city import city_key
from enrichment.normalize.places.country import country_code
from enrichment.normalize.places.state import is_state_of
from enrichment.normalize.word_list import read_groups

_POSTAL_FORMS = {
    "CA": re.compile(r"[A-Z]\d[A-Z] ?\d[A-Z]\d"),
    "GB": re.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"),
    "IE": re.compile(r"[A-Z]\d[\dW] ?[A-Z\d]{4}"),
    "NL": re.compile(r"\d{4} ?[A-Z]{2}"),
    "US": re.compile(r"\d{5}(?:-\d{4})?"),
    **dict.fromkeys(("AT", "BE", "CH", "DK", "LU"), re.compile(r"(?:[A-Z]{1,2}-)?\d{4}")),
}


@cache
def _cities() -> dict[str, frozenset[str]]:
    """The countries of each well-known city, by its key."""
    found: dict[str, set[str]] = {}
    for country, cities in read_groups("places", "city_countries.txt"):
        for city in cities:
            found.setdefault(city_key(city), set()).add(country)
    return {key: frozenset(countries) for key, countries in found.items()}


def city_fits(city: str, country: str) -> bool | None:
    """Whether a well-known city is of this country (both canonical); None where the city is not known."""
    countries, code = _cities().get(city_key(city)), country_code(country)
    return None if countries is None or code is None else code in countries


def state_fits(state: str, country: str) -> bool | None:
    """Whether a country has such a state; None where its states are not known, or the state is a bare code."""
    code = country_code(country)
    return None if code is None else is_state_of(state, code)


@lru_cache(4096)
def postal_code_fits(postal_code: str, country: str) -> bool | None:
    """Whether a postal code has the form of this country's; None where that form is not known."""
    code = country_code(country)
    if code is None:
        return None
    if form := _POSTAL_FORMS.get(code):
        return form.fullmatch(postal_code) is not None
    return has_digits_of(postal_code, code)
