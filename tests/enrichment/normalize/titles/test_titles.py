"""Job titles, seniority and departments: how they are written."""

import pytest

from enrichment.normalize.titles.department import canonical_department
from enrichment.normalize.titles.seniority import canonical_seniority
from enrichment.normalize.titles.title import canonical_title, title_key


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        ("HEAD OF GROWTH", "Head of Growth"),
        ("VP, PEOPLE & CULTURE", "VP, People & Culture"),
        ("SR. DIRECTOR, PRODUCT", "Sr. Director, Product"),
        ("DIRECTOR PROCUREMENT EMEA", "Director Procurement EMEA"),
        ("DIRECTOR OF IT", "Director of IT"),
        ("EXECUTIVE ASSISTANT TO THE CEO", "Executive Assistant to the CEO"),
        ("CO-FOUNDER/CEO", "Co-Founder/CEO"),
        ("GESCHÄFTSFÜHRER", "Geschäftsführer"),
        ("HR BUSINESS PARTNER", "HR Business Partner"),
        ("CEO", "CEO"),
        ("INTERN", "Intern"),
        ("software engineer", "Software Engineer"),
        ("cto", "CTO"),
        ("Head of Growth", "Head of Growth"),
        ("iOS Developer", "iOS Developer"),
        ("WOMEN'S COACH", "Women's Coach"),
        (".NET DEVELOPER", ".NET Developer"),
        ("SENIOR .NET, R&D", "Senior .NET, R&D"),
        ("(CEO)", "(CEO)"),
        ("TBD", None),
    ],
)
def test_a_title_is_unshouted_and_keeps_its_acronyms(raw: str, title: str | None) -> None:
    assert canonical_title(raw) == title


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("VP Sales", "Vice President of Sales"),
        ("Sr. Engineer", "Senior Engineer"),
        ("CEO", "Chief Executive Officer"),
        ("Director, Product", "Director of Product"),
        ("HR Manager", "human resources manager"),
    ],
)
def test_short_and_long_titles_are_the_same(a: str, b: str) -> None:
    assert title_key(a) == title_key(b)


@pytest.mark.parametrize(
    ("raw", "level"),
    [("c_suite", "C-Suite"), ("vp", "VP"), ("senior", "Senior IC"), ("Owner", "Founder"), ("Wizard", "Wizard")],
)
def test_a_seniority_level_has_one_label(raw: str, level: str) -> None:
    assert canonical_seniority(raw) == level


@pytest.mark.parametrize(
    ("raw", "department"), [("human_resources", "HR"), ("IT", "IT & Security"), ("sales", "Sales"), ("Fleet", "Fleet")]
)
def test_a_department_has_one_label(raw: str, department: str) -> None:
    assert canonical_department(raw) == department
