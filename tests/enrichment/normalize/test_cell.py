"""A cell with a value twice, or with a remark, is that value; two values are none."""

import pytest

from enrichment.normalize.field_kind import FieldKind, canonical
from enrichment.normalize.text.text import Refused

K = FieldKind


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        (K.EMAIL, "jo@acme.com (old)", "jo@acme.com"),
        (K.EMAIL, "jo@acme.com old", "jo@acme.com"),
        (K.EMAIL, "private: jo@acme.com", "jo@acme.com"),
        (K.EMAIL, "jo@acme.com; JO@acme.com", "jo@acme.com"),
        (K.PHONE, "+49 30 901820 - reception", "+4930901820"),
        (K.PHONE, "Tel: +49 30 901820, Phone: 030 901820", "+4930901820"),
        (K.WEBSITE, "acme.com, www.acme.com", "https://acme.com"),
        (K.LINKEDIN_PERSON, "linkedin.com/in/jo | https://www.linkedin.com/in/jo/", "https://www.linkedin.com/in/jo"),
        (K.LINKEDIN_PERSON, "https://linkedin.com/in/jo (until 2021)", "https://www.linkedin.com/in/jo"),
        (K.COUNT, "120 / 120", 120),
    ],
)
def test_the_plain_meaning_of_a_cell_is_read(kind: FieldKind, cell: str, value: str | int) -> None:
    assert canonical(kind, cell, "Germany") == value


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        (K.EMAIL, "jo@acme.com; sam@acme.com"),
        (K.EMAIL, "jo@acme.com (sam@acme.com)"),
        (K.EMAIL, "jo smith@acme.com"),
        (K.PHONE, "+49 30 901820 / +49 30 901821"),
        (K.PHONE, "M: +49 170 7654321 / T: +49 30 901820"),
        (K.PHONE, '=HYPERLINK("x","+4930901820")'),
        (K.WEBSITE, "acme.com, acme.de"),
        (K.PHONE, "+49-30-901820 / -21"),
        (K.COUNT, "between 50 and 100"),
        (K.COUNT, "12 stores"),
        (K.MONEY, "5000000 EUR"),
        (K.MONEY, "5000000; Euro"),
        (K.MONEY, "5000000 Yen"),
        (K.MONEY, "1-5 crore"),
        (K.MONEY, "1000000 per month"),
        (K.TWITTER_HANDLE, "see website"),
        (K.LINKEDIN_PERSON, "on request"),
        (K.FACEBOOK_URL, "see page"),
        (K.COUNTRY, "Switzerland / Austria"),
        (K.YEAR, "1998 / 1999"),
    ],
)
def test_two_values_are_none(kind: FieldKind, cell: str) -> None:
    with pytest.raises(Refused):
        canonical(kind, cell, "Germany")
