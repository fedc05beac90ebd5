"""Counts, amounts, years, codes and lists: which values say the same, and which differ."""

from typing import Any

import pytest

from enrichment.enums import EntityType
from tests.support.same_values import check_different, check_same, rows

ACCOUNT, LEAD = EntityType.ACCOUNT, EntityType.LEAD

SAME = {
    "numberOfEmployees": """
13,597 | 13597
13.597 | 13597
13 597 | 13'597
~22k | 22036
~22k | 22,400
22K | 22000
ca. 5 | 5
approx. 1,200 employees | 1200
8,230 | 8,500
8230 | 8,231
100 | 109
125 | 51-200
51-200 | 51
51-200 | 200
51 \u2013 200 employees | 51-200
51 to 200 | 51-200
5001-10000 | 8,230
5,001-10,000 | 8230
10,001+ | 10001+
10,001+ | 12000
10001+ | 181,482
1k+ | 1000+
1k+ | 5000
>500 | 512
more than 500 | 500+
<50 | 12
1-10 | 1
201-500 | 251-500
101-250 | 51-200
501-1000 | 201-1000
5001+ | 10001+
1001-5000 | 1000+
Nov-50 | 11-50
\uff15\uff10\uff10 | 500
""",
    "annualRevenue": """
$1.2B | 1200000000
$1.2B | 1,2 Mrd
1.2 billion USD | US$ 1,200 million
1.2bn | 1200 Mio
$1,234,567,890 | $1.2B
5M | 5,000,000
$5M | $5.2M
$5 mil. | 5000000
USD 5m | 5 million dollars
$10M - $25M | 10-25 million
$10M-$25M | 12500000
$10 mil. - $25 mil. | $10M to $25M
$1B+ | 3200000000
>$1B | $1B+
$500M-$1B | 750 million
less than $1M | $0-$1M
5.000.000,00 | 5,000,000.00
$1.2B (FY2023) | 1.2 billion
""",
    "foundedYear": """
1999 | 1999-05-01
est. 1999 | 1999
since 1999 | founded 1999
1999 | 2000
""",
    "naicsCode": """
541511 | NAICS 541511
541511 | 5415
54 | 541511
31-33 | 332710
541511 - Custom Computer Programming Services | 541511
""",
    "sicCode": """
7372 | SIC 7372
7372 | 73720000
73 | 7372
7372 | 737
""",
    "stockSymbol": """
AAPL | NASDAQ: AAPL
aapl | $AAPL
BRK.B | BRK-B
BRK/B | NYSE:BRK.B
""",
    "tags": """
SaaS, B2B | b2b;saas
["SaaS", "B2B"] | B2B, SaaS
""",
    "techStack": """
React, Node.js | node.js | react
""",
}
DIFFERENT = {
    "numberOfEmployees": """
13,597 | 15,000
320 | 200
75 | 150
51-200 | 201
51-200 | 201-500
11-50 | 51-200
51-200 | 200-500
10001+ | 9,000
10001+ | 5001-10000
1-10 | 12000
51-200 | 181,482
11500 | 2300
35465 | 22166
""",
    "annualRevenue": """
$1.2B | $1.2M
$1.2B | 1.2 million
5,000,000 | 6,000,000
$10M-$25M | $25M-$50M
$1B+ | $900M
""",
    "foundedYear": """
1999 | 2001
1911 | 1916
1865 | 1965
""",
    "naicsCode": """
541511 | 541512
541511 | 5416
31-33 | 441110
""",
    "sicCode": """
7372 | 7371
7372 | 73730000
""",
    "stockSymbol": """
AAPL | MSFT
BRK.A | BRK.B
""",
    "tags": """
SaaS | SaaS, B2B
SaaS | Retail
""",
}


@pytest.mark.parametrize(("field", "one", "other"), [(f, *pair) for f, t in SAME.items() for pair in rows(t)])
def test_values_that_say_the_same(field: str, one: Any, other: Any) -> None:
    check_same(ACCOUNT, field, one, other)


@pytest.mark.parametrize(("field", "one", "other"), [(f, *pair) for f, t in DIFFERENT.items() for pair in rows(t)])
def test_values_that_differ(field: str, one: Any, other: Any) -> None:
    check_different(ACCOUNT, field, one, other)


@pytest.mark.parametrize("field", ["numberOfEmployees", "annualRevenue"])
def test_a_leads_employer_is_measured_as_an_account_is(field: str) -> None:
    for one, other in rows(SAME[field]):
        check_same(LEAD, field, one, other)
    for one, other in rows(DIFFERENT[field]):
        check_different(LEAD, field, one, other)


@pytest.mark.parametrize(
    ("field", "number", "text"),
    [("numberOfEmployees", 8230, "8,230"), ("annualRevenue", 1.2e9, "$1.2B"), ("foundedYear", 1999.0, "1999")],
)
def test_a_number_is_what_its_text_says(field: str, number: float, text: str) -> None:
    check_same(ACCOUNT, field, number, text)
