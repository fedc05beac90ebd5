"""Values as spreadsheets, exports and other CRMs write them: read as what they mean, or refused."""

from typing import Any

import pytest

from enrichment.catalogue import is_equivalent, normalize
from enrichment.enums import EntityType
from enrichment.normalize.text.text import Refused

REFUSED = object()
_ACCOUNT_FIELDS = {"name", "foundedYear", "description"}


def read(field: str, raw: Any, country: str | None = None) -> Any:
    entity_type = EntityType.ACCOUNT if field in _ACCOUNT_FIELDS else EntityType.CONTACT
    try:
        return normalize(entity_type, field, raw, hints={"country": country} if country else {})
    except Refused:
        return REFUSED


def same(field: str, a: Any, b: Any, country: str | None = None) -> bool:
    entity_type = EntityType.ACCOUNT if field in _ACCOUNT_FIELDS else EntityType.CONTACT
    return is_equivalent(entity_type, field, read(field, a, country), read(field, b, country))


@pytest.mark.parametrize(
    ("field", "country", "raw", "expected"),
    [
        ("phone", "Germany", "'+49 30 901820", "+4930901820"),
        ("mobilePhone", "Germany", "'+49 170 1234567", "+491701234567"),
        ("phone", "Germany", '="+49 30 901820"', "+4930901820"),
        ("phone", "Germany", '="030901820"', "+4930901820"),
        ("phone", "Germany", "\u2019+49 30 901820", "+4930901820"),
        ("postalCode", "United States", '="07030"', "07030"),
        ("postalCode", "United States", "'07030", "07030"),
        ("company", None, "'=Experts GmbH", "=Experts GmbH"),
        ("company", None, "=Experts GmbH", "=Experts GmbH"),
        ("company", None, "'47 Brand", "'47 Brand"),
        ("city", None, "'s-Hertogenbosch", "'s-Hertogenbosch"),
        ("phone", "Germany", '=HYPERLINK("x","+4930901820")', REFUSED),
        ("company", None, "=1+1", REFUSED),
        ("company", None, "'=1+1", REFUSED),
        ("company", None, '="=1+1"', REFUSED),
        ("company", None, "=A1 B2", REFUSED),
        ("company", None, '="n/a"', None),
    ],
)
def test_the_guard_of_a_cell_is_taken_off_and_a_formula_stays_refused(
    field: str, country: str | None, raw: str, expected: Any
) -> None:
    assert read(field, raw, country) == expected


@pytest.mark.parametrize(
    ("field", "raw", "expected"),
    [
        ("annualRevenue", "1.32E10", 13_200_000_000),
        ("annualRevenue", "1,32E+10", 13_200_000_000),
        ("annualRevenue", "9.9213206E7", 99_213_206),
        ("annualRevenue", "$8.0E7", 80_000_000),
        ("annualRevenue", "1e6", 1_000_000),
        ("numberOfEmployees", "1E+05", 100_000),
        ("numberOfEmployees", "1.2E+3", 1_200),
        ("numberOfEmployees", "1.2345E3", REFUSED),
        ("numberOfEmployees", "1.2E-3", REFUSED),
        ("numberOfEmployees", "1E99", REFUSED),
        ("phone", "4.91512E+11", REFUSED),
    ],
)
def test_a_count_or_an_amount_in_scientific_notation_is_a_number(field: str, raw: str, expected: Any) -> None:
    assert read(field, raw, "Germany") == expected


@pytest.mark.parametrize(
    ("country", "raw", "expected"),
    [
        ("Germany", "4915112345678.0", "+4915112345678"),
        ("Germany", "4930901820.0", "+4930901820"),
        ("Germany", "030901820.0", "+4930901820"),
        ("India", "919876543210.0", "+919876543210"),
        ("India", "9876543210.00", "+919876543210"),
        ("Brazil", "551123456789.0", "+551123456789"),
        ("Austria", "4315138000.0", "+4315138000"),
        ("United States", "2125550142.0", "+12125550142"),
        ("United Kingdom", "442079460018.0", "+442079460018"),
        (None, "+4915112345678.0", "+4915112345678"),
    ],
)
def test_the_point_zero_of_a_table_of_numbers_is_no_digit_of_a_phone(
    country: str | None, raw: str, expected: str
) -> None:
    assert read("phone", raw, country) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("https://www.linkedin.com/in/ACwAAAabcdE0ghIJkLmNoPq", "https://www.linkedin.com/in/ACwAAAabcdE0ghIJkLmNoPq"),
        (
            "linkedin.com/in/ACoAABR8yogBKaNdDPJLmF3brOx?trk=x",
            "https://www.linkedin.com/in/ACoAABR8yogBKaNdDPJLmF3brOx",
        ),
        ("https://www.linkedin.com/in/Max-Muster-123/", "https://www.linkedin.com/in/max-muster-123"),
        ("https://www.linkedin.com/in/ACoustic-Guitars", "https://www.linkedin.com/in/acoustic-guitars"),
    ],
)
def test_a_member_id_of_linkedin_keeps_its_case_and_a_chosen_name_does_not(raw: str, expected: str) -> None:
    assert read("linkedinUrl", raw) == expected


def test_member_ids_that_differ_in_case_are_different_people() -> None:
    first = "https://www.linkedin.com/in/ACwAAAabcdE0ghIJkLmNoPq"
    second = "https://www.linkedin.com/in/ACwAAAABCDE0ghIJkLmNoPq"
    assert not same("linkedinUrl", first, second)


@pytest.mark.parametrize(
    ("country", "raw", "expected"),
    [
        ("United States", "US_CA", "California"),
        ("United States", "US-CA", "California"),
        ("United States", "us-ny", "New York"),
        ("Germany", "DE-BY", "Bavaria"),
        ("United States", "TX, USA", "Texas"),
        (None, "TX, USA", "Texas"),
        ("United States", "CA - California", "California"),
        ("United States", "US-TX - Texas", "Texas"),
        ("United States", "NY/New York", "New York"),
        ("United States", "No. Carolina", "North Carolina"),
        ("United States", "S. Dakota", "South Dakota"),
        ("Canada", "CA-ON", "Ontario"),
        ("Australia", "NSW, Australia", "New South Wales"),
        (None, "US-CA", "California"),
        ("Germany", "US-CA", "US-CA"),
        ("United States", "CA / NV", "CA / NV"),
    ],
)
def test_a_state_is_read_from_its_code_and_with_its_country_or_name_beside_it(
    country: str | None, raw: str, expected: str
) -> None:
    assert read("state", raw, country) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Germany (DE)", "Germany"),
        ("United Kingdom (UK)", "United Kingdom"),
        ("US - United States", "United States"),
        ("DE - Germany", "Germany"),
        ("The Gambia", "Gambia"),
        ("Bahamas, The", "Bahamas"),
        ("Berlin, Germany", "Germany"),
        ("San Francisco, CA, United States", "United States"),
        ("Georgia, United States", "United States"),
        ("Congo, Democratic Republic of the", "Democratic Republic of the Congo"),
        ("Sudan, South", "South Sudan"),
        ("Ireland, Northern", "United Kingdom"),
        ("Germany [DE]", "Germany"),
        ("DE-Germany", "Germany"),
        ("Germany (HQ)", "Germany"),
        ("Georgia, USA", "United States"),
        ("Tbilisi, Georgia", "Georgia"),
        ("Atlanta, Georgia", REFUSED),
        ("Paris, FR", "France"),
        ("Los Angeles, CA", REFUSED),
        ("Springfield, IL", REFUSED),
        ("Sweden / Norway", REFUSED),
        ("Sweden, Norway", REFUSED),
        ("Berlin", REFUSED),
    ],
)
def test_a_country_is_read_with_its_code_its_article_or_a_place_in_it(raw: str, expected: Any) -> None:
    assert read("country", raw) == expected


@pytest.mark.parametrize(
    ("field", "raw", "expected"),
    [
        ("name", "AT&amp;T", "AT&T"),
        ("lastName", "O&#039;Brien", "O'Brien"),
        ("lastName", "O&#39;Brien", "O'Brien"),
        ("firstName", "Jos&eacute;", "José"),
        ("city", "K&ouml;ln", "Köln"),
        ("description", "Pipes &amp; more", "Pipes & more"),
        ("description", "&lt;script&gt;x&lt;/script&gt;", REFUSED),
        ("description", "<p>We make <b>pipes</b> &amp; more</p>", "<p>We make <b>pipes</b> & more</p>"),
        ("description", "5 &lt; 7", "5 < 7"),
        ("name", "R&D; Lab", "R&D; Lab"),
        ("name", "&lt;script&gt;x&lt;/script&gt;", REFUSED),
        ("name", "Acme&#0;", REFUSED),
    ],
)
def test_entities_of_html_are_decoded_before_any_other_rule(field: str, raw: str, expected: Any) -> None:
    assert read(field, raw) == expected


@pytest.mark.parametrize(
    ("country", "raw", "expected"),
    [
        ("Germany", "1067", "01067"),
        ("Germany", "1067.0", "01067"),
        ("France", "6000", "06000"),
        ("Spain", "8001", "08001"),
        ("Italy", "123", "00123"),
        ("United States", "7030", "07030"),
        ("United States", "7030-1234", "07030-1234"),
        ("United States", "70301234", "07030-1234"),
        ("United States", "070301234", "07030-1234"),
        ("Brazil", "1310100", "01310100"),
        ("Brazil", "1310-100", "01310-100"),
        ("Japan", "600001", "0600001"),
        ("Poland", "950", "00950"),
        ("Colombia", "50001", "050001"),
        ("Denmark", "625", "625"),  # Faroese codes have three digits
        ("Germany", "D-1067", "D-01067"),
        ("Germany", "01067 Dresden", "01067"),
        ("Germany", "10115 (old)", "10115"),
        ("Netherlands", "1012 AB", "1012 AB"),
        ("Norway", "150", "0150"),
        ("Romania", "10011", "010011"),
        ("Switzerland", "8001", "8001"),
        ("Austria", "1010", "1010"),
        ("Germany", "67", "67"),
        (None, "1067", "1067"),
    ],
)
def test_the_leading_zeros_of_a_postal_code_come_back_where_its_country_has_them(
    country: str | None, raw: str, expected: str
) -> None:
    assert read("postalCode", raw, country) == expected


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("350 Fifth Ave", "350 5th Avenue"),
        ("One Main St.", "1 Main Street"),
        ("Av. Paulista 1000", "Avenida Paulista 1000"),
        ("12 Blvd Haussmann", "12 Boulevard Haussmann"),
    ],
)
def test_streets_are_one_in_words_and_in_figures(a: str, b: str) -> None:
    assert same("street", a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("500 Twenty-Third St", "500 23rd Street"),
        ("Twenty One Main St", "21 Main Street"),
        ("1600 Pennsylvania Ave NW", "1600 Pennsylvania Avenue Northwest"),
        ("2 Embarcadero Ctr", "Two Embarcadero Center"),
        ("100 1st St #200", "100 First Street, Suite 200"),
        ("100 1st St, Floor 5", "100 First Street, 5th Floor"),
        ("1 Hacker Way, Bldg 10", "One Hacker Way, Building 10"),
        ("C/ Mayor 5", "Calle Mayor 5"),
        ("R. Augusta 200", "Rua Augusta 200"),
        ("P.za Duomo 1", "Piazza Duomo 1"),
        ("ul. Marszałkowska 1", "Marszałkowska 1"),
        ("P.O. Box 12", "PO Box 12"),
        ("10 St. James Street", "10 Saint James Street"),
        ("Regeringsg. 19", "Regeringsgatan 19"),
    ],
)
def test_short_forms_of_streets_are_written_out(a: str, b: str) -> None:
    assert same("street", a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("350 Fifth Ave", "350 Sixth Ave"), ("100 NW 5th St", "100 NE 5th St"), ("100 C St", "100 Calle St"),
        ("100 1st St #200", "100 1st St #300"), ("20 Main St", "21 Main St"),
    ],
)  # fmt: skip
def test_other_streets_are_not_one(a: str, b: str) -> None:
    assert not same("street", a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("D 01067", "01067"), ("SE-111 53", "11153"), ("070301234", "07030-1234"), ("70301234", "07030-1234"),
        ("1310-100", "01310100"),
    ],
)  # fmt: skip
def test_a_postal_code_is_one_in_its_spellings(a: str, b: str) -> None:
    assert same("postalCode", a, b, "United States" if "1234" in a else "Brazil" if "1310" in a else None)
