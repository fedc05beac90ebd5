"""Providers' labels in our vocabulary: what each means alone, and what the title makes of it."""

from typing import Any

import pytest

from enrichment.catalogue import normalize
from enrichment.enums import EntityType
from providers.titles.labels import department_of, seniority_of

SENIORITY = {"Founder", "C-Suite", "VP", "Director", "Manager", "Senior IC", "IC", "Entry"}
DEPARTMENTS = {
    *("Engineering", "Sales", "Marketing", "HR", "Executive", "Data", "Procurement", "IT & Security", "Finance"),
    *("Other", "Customer Success", "Operations", "Administration"),
}

# By provider: all that its documentation or its clients name.
SENIORITY_LABELS = {
    "apollo": "owner founder c_suite partner vp head director manager senior entry intern",
    "peopledatalabs": "cxo director entry manager owner partner senior training unpaid vp",
    "clearbit": "executive director manager",
    "hunter": "junior senior executive",
    "zoominfo": "C-Level VP-Level Director Manager Non-Manager",
}
DEPARTMENT_LABELS = {
    "apollo": """
        c_suite product_management master_engineering_technical design education master_finance master_human_resources
        master_information_technology master_legal master_marketing medical_health master_operations master_sales
        consulting accounting administrative arts_and_design business_development data_science engineering
        entrepreneurship media_and_communication research sales support
        """,
    "peopledatalabs": """
        customer_service design education engineering finance health human_resources legal marketing media operations
        public_relations real_estate sales trades advisory analyst creative fulfillment hospitality manufacturing
        partnerships product professional_service public_service research sales_engineering support
        """,
    "clearbit": """
        communications customer_service education engineering finance health_professional human_resources
        information_technology legal marketing operations owner president product public_relations real_estate
        recruiting research sales software_engineer
        """,
    "hunter": """
        executive it finance management sales legal support hr marketing communication education design health
        operations
        """,
}
ZOOMINFO_DEPARTMENTS = [
    *("C-Suite", "Engineering & Technical", "Finance", "Human Resources", "Information Technology", "Legal"),
    *("Marketing", "Medical & Health", "Operations", "Sales"),
]


@pytest.mark.parametrize("provider", SENIORITY_LABELS)
def test_every_known_level_is_in_our_vocabulary(provider: str) -> None:
    for label in SENIORITY_LABELS[provider].split():
        found = seniority_of(label)
        assert found, label
        assert found.label in SENIORITY
        assert 0.3 <= found.confidence < 1
        assert normalize(EntityType.LEAD, "seniorityLevel", found.label) == found.label


@pytest.mark.parametrize("label", [*" ".join(DEPARTMENT_LABELS.values()).split(), *ZOOMINFO_DEPARTMENTS])
def test_every_known_department_is_in_our_vocabulary(label: str) -> None:
    found = department_of(label)
    assert found
    assert found.label in DEPARTMENTS
    assert normalize(EntityType.LEAD, "department", found.label) == found.label


@pytest.mark.parametrize(
    ("label", "title", "level"),
    [
        ("VP-Level", None, "VP"),
        ("vp", "Chief Financial Officer", "VP"),  # a label that leaves no choice stays
        ("executive", "VP of Engineering", "VP"),
        ("executive", "Chief Executive Officer", "C-Suite"),
        ("executive", None, "C-Suite"),
        ("C-Level", "Co-Founder & CEO", "Founder"),
        ("entry", "Software Engineer", "IC"),
        ("entry", "Intern", "Entry"),
        ("Non-Manager", "Senior Buyer", "Senior IC"),
        ("Non-Manager", "Director of Sales", "IC"),  # the title says what the label does not cover
        (["senior", "vp", "manager"], None, "VP"),  # the highest counts
        (["nonsense", "director"], None, "Director"),
        ("Senior Vice President", None, "VP"),  # an unknown label that reads as a title
    ],
)
def test_levels(label: Any, title: str | None, level: str) -> None:
    found = seniority_of(label, title)
    assert found
    assert found.label == level


@pytest.mark.parametrize(
    ("label", "title", "department"),
    [
        ("human_resources", None, "HR"),
        ("master_sales", None, "Sales"),
        ("Engineering & Technical", None, "Engineering"),
        ("Engineering & Technical", "Lead Data Scientist", "Data"),
        ("c_suite", "CFO", "Finance"),
        ("c_suite", "CEO", "Executive"),
        ("c_suite", None, "Executive"),
        ("Operations", "Head of Procurement", "Procurement"),
        ("operations", "Warehouse Manager", "Operations"),
        ("information_technology", "Software Engineer", "Engineering"),
        ("legal", None, "Other"),
        (["software_engineer", "operations"], None, "Engineering"),  # the first counts
        ([None, "nonsense", "finance"], None, "Finance"),
        ("Supply Chain Planning", None, "Operations"),  # an unknown label that reads as a title
    ],
)
def test_departments(label: Any, title: str | None, department: str) -> None:
    found = department_of(label, title)
    assert found
    assert found.label == department


def test_a_label_with_a_choice_is_believed_more_with_a_title_that_chooses() -> None:
    alone, chosen = seniority_of("executive"), seniority_of("executive", "VP of Engineering")
    contradicted = seniority_of("executive", "Office Assistant")
    assert alone
    assert chosen
    assert alone.confidence < chosen.confidence
    assert contradicted == alone


@pytest.mark.parametrize(
    "labels", [None, "", "other", "unemployed", 7, True, {"x": 1}, [], [[["vp"]]], "wibble wobble"]
)
def test_what_says_nothing_gives_nothing(labels: Any) -> None:
    assert seniority_of(labels) is None
    assert department_of(labels) is None


def test_hostile_labels_take_no_time() -> None:
    assert department_of(["x " * 100_000] * 1000, "y " * 100_000) is None
