"""The field catalogue: which fields there are, and what becomes of a record's raw values.

One file, because it goes through the catalogue field by field.
"""

import json
import math
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enrichment.catalogue import (
    FieldKind,
    Refused,
    completeness,
    disputing_parts,
    fields_of,
    is_equivalent,
    normalize,
    parts_of,
    units_of,
    value_key,
)
from enrichment.clean import Clean, clean
from enrichment.enums import EntityType, FieldUnit

LEAD, CONTACT, ACCOUNT = EntityType.LEAD, EntityType.CONTACT, EntityType.ACCOUNT
EVERY_FIELD = [(entity_type, name) for entity_type in (LEAD, ACCOUNT) for name in fields_of(entity_type)]

PERSON_FIELDS = (
    "firstName lastName email phone mobilePhone title department seniorityLevel company companyDomain linkedinUrl"
    " twitterHandle avatarUrl industry numberOfEmployees annualRevenue website street city state postalCode country"
)
ACCOUNT_FIELDS = (
    "name domain website phone industry subIndustry type numberOfEmployees annualRevenue foundedYear description"
    " logoUrl linkedinUrl twitterUrl facebookUrl street city state postalCode country techStack tags naicsCode sicCode"
    " stockSymbol parentCompany"
)


def test_an_address_is_one_thing_and_so_is_the_employment_of_a_person() -> None:
    address = ("street", "city", "state", "postalCode", "country")
    employment = ("email", "phone", "title", "department", "seniorityLevel", "company", "companyDomain")
    for person in (LEAD, CONTACT):
        assert units_of(person) == {FieldUnit.ADDRESS: address, FieldUnit.EMPLOYMENT: employment}
    assert units_of(ACCOUNT) == {FieldUnit.ADDRESS: address}
    assert parts_of(ACCOUNT, FieldUnit.EMPLOYMENT) == ()
    assert fields_of(ACCOUNT)["phone"].unit is None  # an account's phone number is no person's
    for unit in FieldUnit:
        assert disputing_parts(unit) < set(parts_of(LEAD, unit))


def test_the_fields_are_those_of_the_crm_in_its_order() -> None:
    assert " ".join(fields_of(LEAD)) == PERSON_FIELDS
    assert " ".join(fields_of(CONTACT)) == PERSON_FIELDS
    assert " ".join(fields_of(ACCOUNT)) == ACCOUNT_FIELDS


@pytest.mark.parametrize("entity_type", list(EntityType))
def test_a_field_knows_its_name_and_owners(entity_type: EntityType) -> None:
    for name, field in fields_of(entity_type).items():
        assert field.name == name
        assert entity_type in field.entity_types


def test_every_kind_is_some_fields() -> None:
    kinds = {field.kind for entity_type in EntityType for field in fields_of(entity_type).values()}
    assert kinds == set(FieldKind)


def test_what_tells_an_entity_is_identifying() -> None:
    account = {name for name, field in fields_of(ACCOUNT).items() if field.identifying}
    lead = {name for name, field in fields_of(LEAD).items() if field.identifying}
    assert {"name", "domain", "website", "phone", "linkedinUrl"} <= account
    assert {"email", "company", "companyDomain", "linkedinUrl", "phone"} <= lead
    assert not {"industry", "city", "foundedYear"} & account


def test_a_field_of_no_such_entity_is_an_error() -> None:
    with pytest.raises(KeyError):
        normalize(LEAD, "foundedYear", 1999)


def test_a_record_is_sorted_into_four() -> None:
    raw = {
        "name": " Tesla, Inc. ",
        "website": "htp://www.tesla.com/",
        "phone": "(202) 555-0187",
        "country": "USA",
        "state": "TX",
        "industry": "???",
        "city": None,
        "foundedYear": "old",
        "numberOfEmployees": "51-200",
        "custom__c": {"kept": ["as", "it", "is"]},
        "Name": "not a field",
    }
    assert clean(ACCOUNT, raw) == Clean(
        raw=raw,
        values={
            "industry": "???",
            "name": "Tesla, Inc.",
            "website": "https://tesla.com",
            "phone": "+12025550187",
            "country": "United States",
            "state": "Texas",
            "numberOfEmployees": "51-200",
        },
        cleared=("city",),
        unknown={"custom__c": {"kept": ["as", "it", "is"]}, "Name": "not a field"},
        refused={"foundedYear": ("old", "not a year")},
    )


def test_the_country_is_read_first_wherever_it_stands() -> None:
    assert clean(LEAD, {"phone": "030 467247600", "country": "Deutschland"}).values["phone"] == "+4930467247600"
    assert clean(LEAD, {"country": "Deutschland", "phone": "030 467247600"}).values["phone"] == "+4930467247600"


def test_a_bad_country_does_not_spoil_the_other_fields() -> None:
    result = clean(LEAD, {"phone": "+4930467247600", "country": "Atlantis"})
    assert result.values == {"phone": "+4930467247600"}
    assert result.refused == {"country": ("Atlantis", "not a country")}


@pytest.mark.parametrize("value", ["a\x00b", "\ud800", math.nan, math.inf, ["a", {"b": "\x00"}], {"\x00": 1}])
def test_an_unknown_field_that_cannot_be_stored_is_refused(value: Any) -> None:
    result = clean(LEAD, {"custom": value})
    assert result.unknown == {}
    assert "custom" in result.refused


def test_hints_tell_how_to_read_a_phone() -> None:
    assert normalize(LEAD, "phone", "(202) 555-0187", hints={"country": "United States"}) == "+12025550187"
    with pytest.raises(Refused, match="without a country code"):
        normalize(LEAD, "phone", "(202) 555-0187")


def test_a_list_that_was_handed_out_can_be_changed() -> None:
    first = normalize(ACCOUNT, "tags", "a, b")
    assert first is not None
    first.append("c")
    assert normalize(ACCOUNT, "tags", "a, b") == ["a", "b"]


@pytest.mark.parametrize(
    ("field", "a", "b"),
    [
        ("name", "Tesla, Inc.", "TESLA"),
        ("name", "Müller GmbH", "Mueller"),
        ("phone", "+12025550187", "+12025550187;ext=5"),
        ("website", "https://acme.com", "https://shop.acme.com"),
        ("city", "München", "Munich"),
        ("state", "CA", "California"),
        ("numberOfEmployees", 125, "51-200"),
        ("annualRevenue", "1000000-5000000", 2_000_000),
        ("industry", "Aerospace & Defense", "aerospace and defense"),
        ("industry", "Capital Markets", "financial services"),
        ("subIndustry", "Life Insurance", "LIFE INSURANCE"),
        ("tags", ["a", "B"], ["b", "A"]),
        ("street", "Hauptstr. 5", "Hauptstraße 5"),
        ("postalCode", "SW1A 1AA", "SW1A1AA"),
        ("description", "We make cars.", "We  make cars"),
    ],
)
def test_values_that_are_equal_for_a_person_are_the_same(field: str, a: Any, b: Any) -> None:
    assert is_equivalent(ACCOUNT, field, a, b)
    assert is_equivalent(ACCOUNT, field, b, a)


@pytest.mark.parametrize(
    ("field", "a", "b"),
    [
        ("name", "Tesla, Inc.", "Tesco"),
        ("website", "https://acme.com", "https://acme.de"),
        ("city", "Dublin", "Galway"),
        ("numberOfEmployees", 225, "51-200"),
        ("industry", "Capital Markets", "Insurance"),
        ("subIndustry", "Life & Health Insurance", "Property & Casualty Insurance"),
        ("foundedYear", 1998, 2000),
        ("phone", "+12025550187", "+12025550188"),
        ("phone", "+12025550187;ext=4", "+12025550187;ext=5"),
        ("tags", ["a"], ["a", "b"]),
        ("country", "Austria", "Australia"),
        ("name", "Tesla", None),
        ("name", None, "Tesla"),
    ],
)
def test_values_that_differ_for_a_person_are_not_the_same(field: str, a: Any, b: Any) -> None:
    assert not is_equivalent(ACCOUNT, field, a, b)


def test_a_person_with_and_without_umlauts_is_the_same() -> None:
    assert is_equivalent(LEAD, "firstName", "Jürgen", "Juergen")
    assert is_equivalent(LEAD, "lastName", "MCDONALD", "McDonald")
    assert not is_equivalent(LEAD, "firstName", "Jürgen", "Jorge")


def test_nothing_is_the_same_as_nothing() -> None:
    assert is_equivalent(ACCOUNT, "name", None, None)


def test_a_key_is_short_and_the_same_for_what_is_the_same() -> None:
    assert value_key(ACCOUNT, "name", "Tesla, Inc.") == value_key(ACCOUNT, "name", "TESLA")
    assert value_key(ACCOUNT, "website", "https://acme.com/x") == value_key(ACCOUNT, "website", "https://acme.com")
    assert value_key(ACCOUNT, "tags", ["b", "a"]) == value_key(ACCOUNT, "tags", ["A", "B"])
    long, other = "word " * 100, "word " * 99 + "end"
    assert len(value_key(ACCOUNT, "description", long)) <= 64
    assert value_key(ACCOUNT, "description", long) != value_key(ACCOUNT, "description", other)


def test_completeness_is_the_share_of_enrichable_fields() -> None:
    enrichable = [name for name, field in fields_of(ACCOUNT).items() if field.enrichable]
    assert completeness(ACCOUNT, {}) == 0
    assert completeness(ACCOUNT, dict.fromkeys(enrichable, 1)) == 1
    assert completeness(ACCOUNT, {"name": "Tesla", "custom": 1, "type": "Customer", "city": None}) == 1 / len(
        enrichable
    )


# What people type, glued from the pieces that the rules look for.
_PIECES = """
http:// htp:// https:// www. acme.com m\u00fcller.de co.uk .com / // ? # @ , ; | . - \u2013 + = ( ) [ ] * & ' " < > %20
Inc. GmbH & Co. KG S.A. de C.V. [EMEA] (old) DO NOT USE Class A The \u682a\u5f0f\u4f1a\u793e
John DE LA CRUZ MCDONALD O'BRIEN Dr. III VP of IT CEO n/a TBD
51 200 51-200 10001+ ~22k $5M 1.2bn EUR 1,234.56 1999 est. 2003-01-01 Nov-50 +44 0049 (0) 20 7946 0818 ext. 5
US Deutschland CA NSW M\u00fcnchen St. in/ company/ linkedin.com x.com facebook.com pages profile.php?id=5
\u00df \u0130 \ufb01 \u01c6 \u2167 \u00bd \u338f e\u0301 \u00c3\u00bc
"""
PIECES = st.sampled_from([*_PIECES.split(), "\n", "\t", "\u200b", "\u00a0", ""])
TYPED = st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=7).map("".join) | st.lists(PIECES, max_size=6).map(
    " ".join
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TYPED | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=5), children, max_size=4),
    max_leaves=8,
)
COUNTRIES = st.sampled_from([None, "United States", "Germany", "Brazil", "Japan", "Spain"])


def check(entity_type: EntityType, name: str, raw: Any, country: str | None) -> None:
    """A raw value is empty, refused, or canonical: JSON, stable, the same as itself."""
    hints = {"country": country}
    try:
        value = normalize(entity_type, name, raw, hints=hints)
    except Refused:
        return
    if value is None:
        return
    assert normalize(entity_type, name, value, hints=hints) == value
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    json.dumps(value, ensure_ascii=False).encode()
    assert is_equivalent(entity_type, name, value, value)
    assert 0 < len(value_key(entity_type, name, value)) <= 64


@pytest.mark.parametrize(("entity_type", "name"), EVERY_FIELD)
@settings(suppress_health_check=list(HealthCheck))
@given(raw=JSON, country=COUNTRIES)
def test_a_canonical_value_is_stable_whatever_was_sent(
    entity_type: EntityType, name: str, raw: Any, country: str | None
) -> None:
    check(entity_type, name, raw, country)


@settings(suppress_health_check=list(HealthCheck))
@given(raw=st.dictionaries(st.sampled_from(ACCOUNT_FIELDS.split()) | st.text(max_size=8), JSON, max_size=12))
def test_cleaning_never_fails_and_loses_no_field(raw: dict[str, Any]) -> None:
    result = clean(ACCOUNT, raw)
    parts = [*result.values, *result.cleared, *result.unknown, *result.refused]
    assert sorted(parts) == sorted(raw)
    assert all(reason for _, reason in result.refused.values())


def test_hostile_text_costs_no_more_than_its_length() -> None:
    texts = [
        piece * (9_900 // len(piece)) + "@a.com" for piece in ("-", "+", "@", "=", "<a", "a.", "1,", "[", "//", "w.")
    ]
    start = time.process_time()
    for text in texts:
        clean(ACCOUNT, dict.fromkeys(fields_of(ACCOUNT), text))
        clean(LEAD, dict.fromkeys(fields_of(LEAD), text))
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("field", "raw", "value"),
    [
        ("lastName", "Dr. n/a", None),
        ("twitterHandle", "@TBD", None),
        ("company", "\u2014n/a", None),
        ("industry", ") \u1e9e", ") Ss"),
        ("website", "www.www.acme.com", "https://acme.com"),
    ],
)
def test_what_a_prefix_leaves_has_to_pass_the_rules_again(field: str, raw: str, value: str | None) -> None:
    assert normalize(LEAD, field, raw) == value


def test_a_formula_behind_a_prefix_is_refused() -> None:
    with pytest.raises(Refused, match="a spreadsheet formula"):
        normalize(LEAD, "lastName", "Dr. =1+1")


@settings(suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_sameness_goes_both_ways(data: st.DataObject) -> None:
    entity_type, name = data.draw(st.sampled_from(EVERY_FIELD))
    values = []
    for raw in (data.draw(TYPED), data.draw(TYPED)):
        try:
            values.append(normalize(entity_type, name, raw))
        except Refused:
            return
    a, b = values
    assert is_equivalent(entity_type, name, a, b) == is_equivalent(entity_type, name, b, a)
