"""Who a cell is about is found in it beside others, with a remark, or mangled."""

import pytest

from enrichment.cell_identifiers import identifiers_in_cells
from enrichment.enums import EntityType
from enrichment.identity import Identifier, IdentifierKind

SAM = Identifier(IdentifierKind.EMAIL, "sam@acme.com")
LINE = Identifier(IdentifierKind.PHONE, "+4930901820")
SITE = Identifier(IdentifierKind.DOMAIN, "acme.com")


@pytest.mark.parametrize(
    ("field", "cell", "wanted"),
    [
        ("email", "sam@acme.com; other@firm.com", SAM),
        ("email", "sam@acme.com (old)", SAM),
        ("email", "sam (at) acme.com", SAM),
        ("email", "sam[at]acme[dot]com", SAM),
        ("email", "sam&#64;acme.com", SAM),
        ("phone", "sam@acme.com", SAM),
        ("website", "acme.com, firm.com", SITE),
        ("domain", "www.acme.com (old); firm.com", SITE),
        ("website", "<a href='https://acme.com/x'>x</a>", SITE),
        ("phone", "+49 30 901820 / +49 30 901821", LINE),
        ("phone", "+49 30 901821 or 030 901820", LINE),
        ("phone", "'+49 30 901820", LINE),
        ("phone", '="+49 30 901820"', LINE),
        ("phone", "4930901820.0", LINE),
        ("phone", "4.93090182E+09", LINE),
        ("phone", "ask Jo 030-901820 please", LINE),
        ("email", "call +49 30 901820", LINE),
        ("Phone 2", "'+49 30 901820", LINE),
    ],
)
def test_an_identifier_is_found_in_its_cell(field: str, cell: str, wanted: Identifier) -> None:
    assert wanted in identifiers_in_cells(EntityType.ACCOUNT, {"country": "Germany"}, {field: cell})


def test_a_number_is_dialled_from_each_country_that_a_cell_names() -> None:
    raw = {"country": "Germany / Austria", "phone": "030 901820; 030 901821"}
    assert LINE in identifiers_in_cells(EntityType.ACCOUNT, {}, raw)


def test_the_form_of_an_earlier_version_is_found_too() -> None:
    found = identifiers_in_cells(EntityType.CONTACT, {"country": "Germany"}, {"phone": "4930901820.0"})
    assert {identifier.value for identifier in found} >= {"+4930901820", "+49309018200"}
