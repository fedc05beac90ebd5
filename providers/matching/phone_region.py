"""The region of a phone number: its country, and the city or state of its area code."""

import gzip
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from phonenumbers import (
    NumberParseException,
    PhoneNumberType,
    is_valid_number,
    number_type,
    parse,
    region_code_for_number,
)

from enrichment.normalize.places.country import country_name

_LONGEST_PREFIX = 5
_PLACELESS = frozenset(
    {
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.VOIP,
        PhoneNumberType.UAN,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.PAGER,
    }
)
_NOT_A_COUNTRY = "001"  # satellite phones and the like


@dataclass(frozen=True, slots=True)
class PhoneRegion:
    """The region of a number. City and state only for a landline whose area code says them."""

    country: str
    city: str | None = None
    state: str | None = None


@lru_cache(4096)
def region_of(e164: str) -> PhoneRegion | None:
    """The region of a canonical phone number; None for an invalid number and for one that belongs to no region."""
    try:
        number = parse(e164)
    except NumberParseException:
        return None
    region = region_code_for_number(number)
    if not is_valid_number(number) or not region or region == _NOT_A_COUNTRY:
        return None
    kind = number_type(number)
    country = country_name(region)
    if kind in _PLACELESS:
        # A freephone number of North America is shared by two dozen countries.
        return None if number.country_code == 1 else PhoneRegion(country)
    if kind == PhoneNumberType.MOBILE:
        return PhoneRegion(country)
    digits = e164.partition(";")[0].lstrip("+")
    for length in range(_LONGEST_PREFIX, 1, -1):
        if area := _areas().get(digits[:length]):
            return PhoneRegion(country, *area)
    return PhoneRegion(country)


@cache
def _areas() -> dict[str, tuple[str | None, str | None]]:
    packed = resources.files("providers").joinpath("data", "areas.tsv.gz").read_bytes()
    rows = (line.split("\t") for line in gzip.decompress(packed).decode().splitlines())
    return {prefix: (city or None, state or None) for prefix, city, state in rows}
