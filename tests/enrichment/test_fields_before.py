"""What an earlier version may hold otherwise is told from a few fields, and the others change nothing about it."""

from enrichment.clean import clean
from enrichment.enums import EntityType
from enrichment.fields_before import _compared, _may_differ, forms_before
from service.sample.records import sample_records

ODD = [
    {"phone": "4930901820.0", "country": "Germany", "name": "Acme"},
    {"industry": "Other", "numberOfEmployees": "1.32E3", "postalCode": "2134", "country": "USA"},
    {"name": "'Acme & Sons", "linkedinUrl": "linkedin.com/company/ACME", "state": "ny"},
]


def test_fields_that_cannot_differ_need_not_be_read() -> None:
    records = [(EntityType(record["entityType"]), record["fields"]) for record in sample_records()]
    records += [(EntityType.ACCOUNT, raw) for raw in ODD]
    differing = 0
    for entity_type, raw in records:
        fields = clean(entity_type, raw, country=None).values
        found = forms_before(entity_type, fields, raw)
        assert found == _compared(entity_type, fields, raw)
        differing += bool(found)
    assert differing >= len(ODD)


def test_most_fields_of_a_company_cannot_differ() -> None:
    assert not _may_differ(EntityType.ACCOUNT, "name", "Acme")
    assert not _may_differ(EntityType.ACCOUNT, "domain", "acme.com/about/us")  # no domain is compared
    assert _may_differ(EntityType.ACCOUNT, "phone", "4930901820.0")
