"""Countries, states, cities, streets and postal codes."""

from typing import Any

import pycountry
import pytest

from enrichment.normalize.places.address import canonical_postal_code, canonical_street, postal_key, street_key
from enrichment.normalize.places.city import canonical_city, city_key
from enrichment.normalize.places.country import canonical_country, country_code, country_name
from enrichment.normalize.places.state import canonical_state, same_state, state_key
from enrichment.normalize.text.text import Refused


@pytest.mark.parametrize(
    ("country", "names"),
    [
        (
            "United States",
            "US|USA|U.S.|U.S.A.|usa|united states of america|United States|Vereinigte Staaten|États-Unis",
        ),
        ("United Kingdom", "UK|U.K.|GB|GBR|Great Britain|England|Scotland|Royaume-Uni"),
        ("Germany", "DE|DEU|GER|germany |Deutschland|Allemagne|Alemania|ドイツ"),
        ("Netherlands", "NL|Holland|The Netherlands|Nederland"),
        ("South Korea", "KR|Korea|Republic of Korea|Korea, Republic of|대한민국"),
        ("Czechia", "CZ|Czech Republic|Česko"),
        ("Türkiye", "TR|Turkey|Turkiye|TÜRKIYE"),
        ("China", "CN|PRC|中国|People's Republic of China"),
        ("Taiwan", "TW|Taiwan, Province of China|台灣"),
        ("Hong Kong", "HK|HKG|Hong Kong SAR|香港"),
        ("Japan", "JP|JPN|日本"),
        ("Austria", "AT|Österreich|O\u0308sterreich|AUTRICHE"),
        ("Spain", "ES|España|ESP"),
        ("Brazil", "BR|Brasil"),
        ("Switzerland", "CH|CHE|Schweiz|Suisse"),
        ("Côte d\u2019Ivoire", "CI|Ivory Coast|Cote d'Ivoire"),
        ("Vietnam", "VN|Viet Nam"),
        ("Russia", "RU|Russian Federation|Россия"),
        ("British Virgin Islands", "VG|Virgin Islands, British"),
        ("Namibia", "NAM|Namibia"),
    ],
)
def test_a_country_has_one_canonical_name(country: str, names: str) -> None:
    assert {canonical_country(name) for name in names.split("|")} == {country}


def test_every_country_survives_its_own_name_and_codes() -> None:
    for known in pycountry.countries:
        name = country_name(known.alpha_2)
        assert country_code(name) == country_code(known.alpha_2) == country_code(known.alpha_3) == known.alpha_2, name


@pytest.mark.parametrize(
    ("raw", "reason"), [("Atlantis", "not a country"), ("EMEA", "not a country"), (True, "true or"), (["DE"], "a list")]
)
def test_what_is_no_country_is_refused(raw: Any, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        canonical_country(raw)


def test_na_in_a_country_field_is_not_namibia() -> None:
    assert canonical_country("NA") is None
    assert country_code("NA") == "NA"


@pytest.mark.parametrize(
    ("raw", "country", "state"),
    [
        ("CA", "United States", "California"),
        ("ca", "United States", "California"),
        ("N.Y.", "United States", "New York"),
        ("california", "United States", "California"),
        ("ON", "Canada", "Ontario"),
        ("Québec", "Canada", "Quebec"),
        ("NSW", "Australia", "New South Wales"),
        ("BY", "Germany", "Bavaria"),
        ("Bavaria", "Germany", "Bavaria"),
        ("SP", "Brazil", "São Paulo"),
        ("CA", None, "CA"),
        ("ca", None, "CA"),
        ("CA", "Germany", "CA"),
        ("NEW SOUTH WALES", None, "New South Wales"),
        ("n/a", "United States", None),
    ],
)
def test_a_state_is_named_in_full_where_its_country_is_known(raw: str, country: str | None, state: str | None) -> None:
    assert canonical_state(raw, country) == state


def test_every_subdivision_stays_what_it_is() -> None:
    for division in pycountry.subdivisions:
        country = country_name(division.country_code)
        name = canonical_state(division.name, country)
        assert canonical_state(name, country) == name


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("CA", "California"),
        ("california", "California"),
        ("Québec", "Quebec"),
        ("QC", "Quebec"),
        ("Bavaria", "Bayern"),
        ("NSW", "New South Wales"),
    ],
)
def test_a_code_and_a_name_are_one_state(a: str, b: str) -> None:
    assert same_state(a, b)
    assert same_state(b, a)
    assert state_key(a) == state_key(b)


@pytest.mark.parametrize(("a", "b"), [("California", "Nevada"), ("CA", "NV"), ("Bayern", "Hessen")])
def test_different_states_differ(a: str, b: str) -> None:
    assert not same_state(a, b)


@pytest.mark.parametrize(
    ("raw", "city"),
    [
        ("NEW YORK", "New York"),
        ("EAST MOLESEY", "East Molesey"),
        ("NEUILLY-SUR-SEINE", "Neuilly-Sur-Seine"),
        ("JARAGUA DO SUL", "Jaragua do Sul"),
        ("san francisco", "San Francisco"),
        ("München", "München"),
        ("東京", "東京"),
        ("McLean", "McLean"),
        ("Weiden i.d.Opf.", "Weiden i.d.Opf."),
        ("NYC", "New York"),
        ("SF", "San Francisco"),
        (" Zu\u0308rich\u00a0", "Zürich"),
        ("???", None),
    ],
)
def test_a_city_is_readable(raw: str, city: str | None) -> None:
    assert canonical_city(raw) == city


@pytest.mark.parametrize(
    ("raw", "reason"), [("12345", "not the name of a city"), ("<b>x</b>", "markup"), (True, "true or false")]
)
def test_what_is_no_city_is_refused(raw: Any, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        canonical_city(raw)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("München", "Munich"),
        ("Muenchen", "Munich"),
        ("MUNCHEN", "München"),
        ("Köln", "Cologne"),
        ("Koeln", "Köln"),
        ("Wien", "Vienna"),
        ("Milano", "Milan"),
        ("東京", "Tokyo"),
        ("St. Louis", "Saint Louis"),
        ("Sankt Gallen", "St. Gallen"),
        ("New York", "New York City"),
        ("Bangalore", "Bengaluru"),
        ("Gurgaon", "Gurugram"),
        ("Frankfurt", "Frankfurt am Main"),
        ("Frankfurt/Main", "Frankfurt am Main"),
        ("Genève", "Geneva"),
        ("Luxembourg City", "Luxembourg"),
        ("Sao Paulo", "São Paulo"),
        ("Rio De Janeiro", "Rio de Janeiro"),
        ("HL Amsterdam", "Amsterdam"),
        ("Austin, TX", "Austin"),
        ("Winston-Salem", "winston salem"),
        ("Dusseldorf", "Düsseldorf"),
        ("Malmo", "Malmö"),
        ("Aarhus", "Århus"),
        ("Mexico City", "Ciudad de México"),
        ("Weiden i.d.Opf.", "Weiden"),
    ],
)
def test_one_city_by_several_names(a: str, b: str) -> None:
    assert city_key(a) == city_key(b)


@pytest.mark.parametrize(
    ("a", "b"), [("Dublin", "Galway"), ("San Jose", "San Juan"), ("York", "New York"), ("Springfield", "Hartford")]
)
def test_different_cities_differ(a: str, b: str) -> None:
    assert city_key(a) != city_key(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [("Hauptstr. 5", "Hauptstraße 5"), ("12 Main St.", "12 main street"), ("5th Ave, Suite 3", "5th Avenue Ste 3")],
)
def test_short_forms_of_a_street_are_the_same(a: str, b: str) -> None:
    assert street_key(a) == street_key(b)


@pytest.mark.parametrize("street", ["UL", "ul.", "The", "Street", "-"])
def test_a_street_of_words_that_say_nothing_has_a_key(street: str) -> None:
    assert street_key(street)


def test_a_street_is_one_line() -> None:
    assert canonical_street("12 Main St.\r\n Suite 5 ,\nFloor 2") == "12 Main St., Suite 5, Floor 2"


@pytest.mark.parametrize(
    ("raw", "country", "code"),
    [
        ("sw1a  1aa", None, "SW1A 1AA"),
        ("94107", None, "94107"),
        (94107, None, "94107"),
        (94107.0, None, "94107"),
        ("94107.0", None, "94107"),
        ("2139", "United States", "02139"),
        (501, "United States", "00501"),
        ("2139", "Australia", "2139"),
        ("164-8701", "Japan", "164-8701"),
        ("n/a", None, None),
    ],
)
def test_a_postal_code_is_written_one_way(raw: Any, country: str | None, code: str | None) -> None:
    assert canonical_postal_code(raw, country) == code


def test_postal_codes_are_compared_without_spaces_and_extension() -> None:
    assert postal_key("SW1A 1AA") == postal_key("SW1A1AA")
    assert postal_key("94107-1234") == postal_key("94107")
    assert postal_key("94107") != postal_key("94108")
