"""Industries: which labels of different vocabularies mean one, and which differ."""

import pytest

from enrichment.normalize.industry import industries_of, industry_key, same_industry
from enrichment.normalize.industry_labels import BROAD, INDUSTRIES


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Capital Markets", "financial services"),
        ("Banks", "banking"),
        ("Banks", "finance and insurance"),
        ("Automobiles", "automotive"),
        ("Auto Components", "automotive"),
        ("Software", "Application Software"),
        ("Software", "computer software"),
        ("Electric Utilities", "electric utility"),
        ("Electric Utilities", "Multi-Utilities"),
        ("Metals & Mining", "iron and steel"),
        ("Oil, Gas & Consumable Fuels", "petroleum industry"),
        ("Health Care Equipment & Supplies", "medical devices"),
        ("Semiconductors & Semiconductor Equipment", "semiconductors"),
        ("Specialty Retail", "retail"),
        ("Textiles, Apparel & Luxury Goods", "clothing"),
        ("Machinery", "manufacturing"),
        ("Aerospace & Defense", "defence"),
        ("Equity Real Estate Investment Trusts (REITs)", "Office REITs"),
        ("Telecommunications", "Diversified Telecommunication Services"),
        ("IT Services", "Information Technology and Services"),
        ("Underwater Basket Weaving", "underwater basket-weaving"),
    ],
)
def test_labels_of_one_industry_are_the_same(a: str, b: str) -> None:
    assert same_industry(a, b)
    assert same_industry(b, a)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Capital Markets", "retail"),
        ("Banks", "Insurance"),
        ("Software", "Advertising"),
        ("Biotechnology", "chemicals"),
        ("Machinery", "conglomerate"),
        ("Household Durables", "department store"),
        ("Semiconductors & Semiconductor Equipment", "Restaurants"),
        ("Tobacco", "conglomerate"),
        ("Underwater Basket Weaving", "Software"),
    ],
)
def test_labels_of_different_industries_differ(a: str, b: str) -> None:
    assert not same_industry(a, b)
    assert not same_industry(b, a)


@pytest.mark.parametrize("vague", ["Technology", "B2B", "Services"])
def test_a_label_that_says_too_little_is_the_same_as_nothing(vague: str) -> None:
    assert industries_of(vague) == frozenset()
    assert not same_industry(vague, "Software")
    assert same_industry(vague, vague.upper())


def test_a_key_is_shared_by_the_labels_of_one_industry() -> None:
    assert industry_key("Computer Software") == industry_key("Application Software") == industry_key("software")
    assert industry_key("Banks") != industry_key("Insurance")
    assert industry_key("financial services") != industry_key("Banks")


def test_a_wide_label_names_only_known_industries() -> None:
    known = {line.partition(": ")[0] for line in INDUSTRIES.strip().split("\n")}
    named = {name for line in BROAD.strip().split("\n") for name in line.partition(": ")[2].split()}
    assert named <= known
