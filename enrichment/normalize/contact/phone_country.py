"""What a phone number itself says: the country that it belongs to, and what kind of line it is."""

from enum import StrEnum
from functools import lru_cache

from phonenumbers import NumberParseException, PhoneNumberType, number_type, parse, region_code_for_number

from enrichment.normalize.places.country import country_name

_NOT_A_COUNTRY = "001"  # satellite phones and the like
_NANP = 1  # a freephone number of North America is shared by two dozen countries


class PhoneLine(StrEnum):
    """What kind of line a number is."""

    FIXED = "fixed"
    MOBILE = "mobile"
    SHARED = "shared"  # freephone, premium rate and the like: nobody's own
    UNKNOWN = "unknown"


_LINES = {
    PhoneNumberType.FIXED_LINE: PhoneLine.FIXED,
    PhoneNumberType.MOBILE: PhoneLine.MOBILE,
    PhoneNumberType.TOLL_FREE: PhoneLine.SHARED,
    PhoneNumberType.PREMIUM_RATE: PhoneLine.SHARED,
    PhoneNumberType.SHARED_COST: PhoneLine.SHARED,
    PhoneNumberType.UAN: PhoneLine.SHARED,
}


@lru_cache(4096)
def phone_country(e164: str) -> str | None:
    """The canonical country of a canonical number; None where the number says none."""
    try:
        number = parse(e164)
    except NumberParseException:
        return None
    region = region_code_for_number(number)
    if not region or region == _NOT_A_COUNTRY:
        return None
    if number.country_code == _NANP and number_type(number) == PhoneNumberType.TOLL_FREE:
        return None
    return country_name(region)


@lru_cache(4096)
def phone_line(e164: str) -> PhoneLine:
    """What kind of line a canonical number is, as far as its numbering plan tells."""
    try:
        return _LINES.get(number_type(parse(e164)), PhoneLine.UNKNOWN)
    except NumberParseException:
        return PhoneLine.UNKNOWN
