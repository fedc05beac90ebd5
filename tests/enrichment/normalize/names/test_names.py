"""Names of companies and people: how they are written."""

from typing import Any

import pytest

from enrichment.normalize.names.company_name import canonical_company, company_key, core_name
from enrichment.normalize.names.person_name import canonical_person_name
from enrichment.normalize.text.text import Refused


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Carlsberg A/S   ", "Carlsberg A/S"),
        ("\u00a0Cipla", "Cipla"),
        ("BAE  SYSTEMS", "BAE SYSTEMS"),
        ("Zurbru\u0308ggen", "Zurbrüggen"),
        ("TBONYM [EMEA]", "TBONYM"),
        ("Gartner *VIP*", "Gartner"),
        ("Hilton Worldwide Holdings LLC (old)", "Hilton Worldwide Holdings LLC"),
        ("ILJIN Materials Co., Ltd. - DO NOT USE", "ILJIN Materials Co., Ltd."),
        ("Acme (DO NOT USE)", "Acme"),
        ("zz_Acme", "Acme"),
        ("SAAB AB (PUBL)", "SAAB AB (PUBL)"),
        ("Boeing Company (The)", "Boeing Company (The)"),
        ('"Acme"', "Acme"),
        ('Toys "R" Us', 'Toys "R" Us'),
        (":data factory GmbH", ":data factory GmbH"),
        ("DELETE ME", None),
        ("do not use", None),
        ("asdf", None),
        ("Test Account", None),
        ("TBD", None),
        ("null", None),
        ("Company", None),
        ("???", None),
        ("", None),
    ],
)
def test_a_company_name_loses_what_a_crm_added(raw: str, name: str | None) -> None:
    assert canonical_company(raw) == name


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Tesla Inc", "Tesla, Inc."),
        ("Carlsberg A/S", "CARLSBERG"),
        ("HOCHTIEF Aktiengesellschaft", "Hochtief AG"),
        ("Ajinomoto Co., Inc.", "ajinomoto"),
        ("Nien Made Enterprise Co., LTD.", "Nien Made Enterprise"),
        ("IKEA Deutschland GmbH & Co. KG *VIP*", "IKEA Deutschland"),
        ("BGL Inkasso UG (haftungsbeschränkt)", "BGL Inkasso UG"),
        ("Deutschlandradio K. d. ö. R.", "Deutschlandradio"),
        ("Fomento S.A.B. de C.V.", "Fomento"),
        ("J.P. Morgan", "J. P. Morgan"),
        ("W. P. Carey", "WP Carey"),
        ("Levi Strauss & Co.", "Levi Strauss"),
        ("Marks & Spencer plc", "Marks and Spencer"),
        ("The Home Depot, Inc.", "Home Depot"),
        ("Boeing Company (The)", "The Boeing Company"),
        ("Dr. Reddy\u2019s Laboratories", "Dr. Reddy's Laboratories"),
        ("Saab AB (publ)", "Saab"),
        ("Moët Hennessy", "Moet Hennessy"),
        ("Albertsons Companies, Inc. Class A", "Albertsons"),
        ("Advanced Info Service Public Company Limited", "Advanced Info Service"),
        ("PT Bank Mega Tbk", "Bank Mega"),
        ("株式会社日立", "日立"),
        ("Adeva Pty. Ltd.", "Adeva"),
        ("Eni S.p.A.", "ENI"),
    ],
)
def test_two_spellings_of_one_company_share_the_core(a: str, b: str) -> None:
    assert core_name(a) == core_name(b) != ""
    assert company_key(a) == company_key(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [("Delta Air Lines", "Delta Dental"), ("Deutsche Bank", "Deutsche Post"), ("K&S", "K"), ("Casa Inc", "Casas Inc")],
)
def test_different_companies_keep_different_cores(a: str, b: str) -> None:
    assert core_name(a) != core_name(b)


@pytest.mark.parametrize("text", ["AG", "Inc.", "Co. Ltd.", "SE", "Limited"])
def test_a_name_of_legal_forms_alone_keeps_one(text: str) -> None:
    assert core_name(text)


@pytest.mark.parametrize(
    "text", ["Self employed", "self-employed", "Freelance", "Private", "John's account", "DELETE ME", "???"]
)
def test_what_names_no_company_has_no_core(text: str) -> None:
    assert core_name(text) == ""


@pytest.mark.parametrize(
    ("raw", "reason"),
    [("=cmd|' /C calc'!A0", "formula"), ("<script>x</script>", "markup"), ("a" * 400, "longer"), ({}, "an object")],
)
def test_what_is_no_company_name_is_refused(raw: Any, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        canonical_company(raw)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("MCDONALD", "McDonald"),
        ("MACDONALD", "MacDonald"),
        ("MACHADO", "Machado"),
        ("o'brien", "O'Brien"),
        ("d\u2019angelo", "D\u2019Angelo"),
        ("DE LA CRUZ", "de la Cruz"),
        ("VAN DER BERG", "van der Berg"),
        ("JEAN-LUC", "Jean-Luc"),
        ("ÖZGÜR", "Özgür"),
        ("SANTA MARIA", "Santa Maria"),
        ("li", "Li"),
        ("AL", "Al"),
        ("JD", "JD"),
        ("J.R.", "J.R."),
        ("SMITH III", "Smith III"),
        ("SMITH JR.", "Smith Jr."),
        ("McDonald", "McDonald"),
        ("de la Cruz", "de la Cruz"),
        ("LeBron", "LeBron"),
        ("Dr. Anna", "Anna"),
        ("Zoe\u0308", "Zoë"),
        ("李", "李"),
        ("Na", "Na"),
        ("Nan", "Nan"),
        ("NA", None),
        ("n/a", None),
        ("-", None),
        ("Unknown", None),
        ("asdf", None),
        ("John \U0001f600", "John"),
        ("\u0130REM", "\u0130rem"),
        ("\u00d6ZDEM\u0130R", "\u00d6zdemir"),
    ],
)
def test_a_persons_name_is_cased(raw: str, name: str | None) -> None:
    assert canonical_person_name(raw) == name


@pytest.mark.parametrize(
    ("raw", "reason"),
    [("jane@acme.com", "an address"), ("12345", "not a name"), ("<b>Jane</b>", "markup"), (True, "true or")],
)
def test_what_is_no_persons_name_is_refused(raw: Any, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        canonical_person_name(raw)
