"""Industries: what a label means, how it is kept, and the vocabulary as one tree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment.catalogue import value_key
from enrichment.enums import EntityType
from enrichment.normalize.industry.industry import (
    canonical_industry,
    industries_of,
    industry_key,
    is_vague_label,
    same_industry,
    says_nothing,
)
from enrichment.normalize.industry.label import plain_words
from enrichment.normalize.industry.tree import tree

ACCOUNT = EntityType.ACCOUNT


@pytest.mark.parametrize("vague", ["Technology", "B2B", "Services", "Tech", "Business services group", "Solutions"])
def test_a_label_that_says_too_little_is_told_from_those_that_say_something(vague: str) -> None:
    assert is_vague_label(vague) is (vague != "Business services group")
    assert (industries_of(vague) == frozenset()) is is_vague_label(vague)
    assert same_industry(vague, vague.upper())


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        ("COMPUTER_SOFTWARE", "Computer Software"),
        ("REAL ESTATE", "Real Estate"),
        ("Oil_Gas", "Oil Gas"),
        ("computer software", "computer software"),
        ("OTHER", "Other"),
        ("Sonstige", "Sonstige"),
        ("??", "???"),
        ("N/A", None),
        ("  ", None),
    ],
)
def test_a_label_is_kept_as_it_is_written(raw: str, label: str | None) -> None:
    assert canonical_industry(raw) == label


@pytest.mark.parametrize(
    ("raw", "industry"),
    [
        ("Capital Markets", "Capital Markets"),
        ("INSURANCE", "Insurance"),
        ("B2B", "B2B"),
        ("Technology", "Technology"),
    ],
)
def test_an_industry_is_kept_whatever_it_says(raw: str, industry: str | None) -> None:
    assert canonical_industry(raw) == industry


@pytest.mark.parametrize(
    "label",
    ["Other", "others", "Misc.", "Sonstige", "???", "None of the above", "Other (please specify)", "Unspecified"],
)
def test_a_label_for_what_fits_no_other_says_nothing(label: str) -> None:
    canonical = canonical_industry(label)
    assert canonical is not None
    assert says_nothing(canonical)
    assert not same_industry(canonical, "Banking")
    assert same_industry(canonical, "Other")
    assert not says_nothing("Other Services Except Public Administration")


def test_a_key_is_shared_by_the_labels_of_one_industry() -> None:
    assert industry_key("Computer Software") == industry_key("software industry") == industry_key("Softwareentwicklung")
    assert industry_key("Banks") != industry_key("Insurance")
    assert industry_key("financial services") != industry_key("Banks")
    assert industry_key("Underwater Basket Weaving") == industry_key("underwater basket-weaving")


def test_the_vocabulary_is_one_tree_without_loops_and_without_empty_industries() -> None:
    known = tree()
    labelled = frozenset().union(*known.labels.values())
    assert labelled == known.above.keys()
    assert len(known.labels) > 3000
    assert len(labelled) > 250
    for industry, above in known.above.items():
        assert industry in above
        assert all(industry not in known.above[other] for other in above - {industry})


LINKEDIN = """
Accounting | Airlines/Aviation | Alternative Dispute Resolution | Alternative Medicine | Animation | Apparel & Fashion
Architecture & Planning | Arts and Crafts | Automotive | Aviation & Aerospace | Banking | Biotechnology
Broadcast Media | Building Materials | Business Supplies and Equipment | Capital Markets | Chemicals
Civic & Social Organization | Civil Engineering | Commercial Real Estate | Computer & Network Security
Computer Games | Computer Hardware | Computer Networking | Computer Software | Construction | Consumer Electronics
Consumer Goods | Consumer Services | Cosmetics | Dairy | Defense & Space | Design | Education Management | E-Learning
Electrical/Electronic Manufacturing | Entertainment | Environmental Services | Events Services | Executive Office
Facilities Services | Farming | Financial Services | Fine Art | Fishery | Food & Beverages | Food Production
Fund-Raising | Furniture | Gambling & Casinos | Glass, Ceramics & Concrete | Government Administration
Government Relations | Graphic Design | Health, Wellness and Fitness | Higher Education | Hospital & Health Care
Hospitality | Human Resources | Import and Export | Individual & Family Services | Industrial Automation
Information Services | Information Technology and Services | Insurance | International Affairs
International Trade and Development | Internet | Investment Banking | Investment Management | Judiciary
Law Enforcement | Law Practice | Legal Services | Legislative Office | Leisure, Travel & Tourism | Libraries
Logistics and Supply Chain | Luxury Goods & Jewelry | Machinery | Management Consulting | Maritime | Market Research
Marketing and Advertising | Mechanical or Industrial Engineering | Media Production | Medical Devices
Medical Practice | Mental Health Care | Military | Mining & Metals | Motion Pictures and Film
Museums and Institutions | Music | Nanotechnology | Newspapers | Non-Profit Organization Management | Oil & Energy
Online Media | Outsourcing/Offshoring | Package/Freight Delivery | Packaging and Containers | Paper & Forest Products
Performing Arts | Pharmaceuticals | Philanthropy | Photography | Plastics | Political Organization
Primary/Secondary Education | Printing | Professional Training & Coaching | Program Development | Public Policy
Public Relations and Communications | Public Safety | Publishing | Railroad Manufacture | Ranching | Real Estate
Recreational Facilities and Services | Religious Institutions | Renewables & Environment | Research | Restaurants
Retail | Security and Investigations | Semiconductors | Shipbuilding | Sporting Goods | Sports
Staffing and Recruiting | Supermarkets | Telecommunications | Textiles | Think Tanks | Tobacco
Translation and Localization | Transportation/Trucking/Railroad | Utilities | Venture Capital & Private Equity
Veterinary | Warehousing | Wholesale | Wine and Spirits | Wireless | Writing and Editing
"""


def test_every_label_of_linkedins_list_is_understood() -> None:
    labels = [label.strip() for line in LINKEDIN.strip().split("\n") for label in line.split(" | ")]
    assert len(labels) == 147
    assert [label for label in labels if not industries_of(label)] == []


LABELS = st.sampled_from(sorted(tree().labels)) | st.text(max_size=40)


@given(LABELS, LABELS)
def test_sameness_is_mutual_and_agrees_with_the_key(a: str, b: str) -> None:
    assert same_industry(a, a)
    assert same_industry(a, b) == same_industry(b, a)
    if industry_key(a) == industry_key(b) and (industries_of(a) or plain_words(a)):
        assert same_industry(a, b)


@given(LABELS)
def test_a_label_keeps_its_meaning_in_any_case_and_has_a_short_key(label: str) -> None:
    assert same_industry(label, label.upper()) or label.lower() != label.upper().lower()
    assert len(value_key(ACCOUNT, "industry", label)) <= 64
