"""Signs of places: whether city, state, postal code and country go together, and with the rest of the record."""

from collections.abc import Callable, Iterator, Mapping

from enrichment.catalogue import fields_of
from enrichment.normalize.contact.phone_country import phone_country
from enrichment.normalize.field_kind import FieldKind
from enrichment.normalize.places.country import country_code, country_name
from enrichment.normalize.places.fit import city_fits, postal_code_fits, state_fits
from enrichment.recommend.subject import Found, Subject, domains_of
from enrichment.recommend.weights import Sign


def place_signs(subject: Subject) -> Iterator[Found]:
    country, by = _country_of(subject)
    fits = None if country is None else _FITS[subject.kind](subject.text, country)
    if fits is not None:
        yield (
            Found(Sign.PLACE_FITS, f"is in {country}, like {by}")
            if fits
            else Found(Sign.PLACE_MISFITS, f"is not in {country}, where {by} is")
        )


def _country_of(subject: Subject) -> tuple[str | None, str]:
    """The country of the rest of the record, and what says so: the country itself, a phone number, a domain."""
    if country := subject.other("country"):
        return country, "the record"
    if (phone := subject.other("phone")) and (of_phone := phone_country(phone)):
        return of_phone, "the record's phone number"
    domain = next(iter(domains_of(subject.others)), None)
    code = None if domain is None else domain.rpartition(".")[2].upper()
    if code is not None and code not in _USED_BY_ALL and country_code(code) == code:
        return country_name(code), "the record's domain"
    return None, ""


_USED_BY_ALL = frozenset({"AI", "CC", "CO", "FM", "GG", "IO", "LA", "LY", "ME", "SO", "TO", "TV", "VC", "WS"})


_FITS: Mapping[FieldKind, Callable[[str, str], bool | None]] = {
    FieldKind.CITY: city_fits,
    FieldKind.STATE: state_fits,
    FieldKind.POSTAL_CODE: postal_code_fits,
}


def country_signs(subject: Subject) -> Iterator[Found]:
    country = subject.text
    for name in ("city", "state", "postalCode"):
        value = subject.other(name)
        fits = None if value is None else _FITS[fields_of(subject.entity_type)[name].kind](value, country)
        if fits is not None:
            yield Found(
                Sign.PLACE_FITS if fits else Sign.PLACE_MISFITS, f"{'goes' if fits else 'does not go'} with {value}"
            )
    for name in ("phone", "mobilePhone"):
        phone = subject.other(name)
        of = None if phone is None else phone_country(phone)
        if of is not None:
            same = country_code(of) == country_code(country)
            sign = Sign.PHONE_OF_THE_COUNTRY if same else Sign.PHONE_OF_ANOTHER_COUNTRY
            yield Found(sign, f"is {'' if same else 'not '}the country of the record's phone number")
