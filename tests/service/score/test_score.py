"""The score and the sample: the product measured on records whose right answers are known."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from enrichment.clean import clean
from enrichment.enums import EntityType
from service.sample.records import sample_records
from service.score.score import main

pytestmark = pytest.mark.xdist_group("score")  # one worker makes what they share


@pytest.fixture(scope="module")
def table() -> list[str]:
    lines: list[str] = []
    assert main(out=lines.append, misses=True, worlds=range(1)) == 0
    return lines


def numbers(table: list[str], label: str) -> list[float]:
    line = next(line for line in table if line.strip().startswith(label))
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", line.partition(label)[2])]


def test_more_companies_are_recognized_than_by_the_plain_method_and_fewer_wrongly(table: list[str]) -> None:
    right, of, share, *baseline = numbers(table, "recognized rightly")
    assert right / of > 0.99 > baseline[2] / 100
    assert share == pytest.approx(100 * right / of, abs=0.1)
    assert numbers(table, "recognized as another company")[0] <= 1


def test_a_new_organization_wastes_less_than_a_tenth_of_its_credits(table: list[str]) -> None:
    credits, wasted, share, values = numbers(table, "as a new organization")
    credits_before, wasted_before, share_before, values_before = numbers(table, "all fields, no floor, no companies")
    assert share == pytest.approx(100 * wasted / credits, abs=0.1)
    assert share < 10 < 20 < share_before == pytest.approx(100 * wasted_before / credits_before, abs=0.1)
    assert values > 0.85 * values_before


@pytest.mark.parametrize("kind", ["ambiguous", "invented", "junk"])
def test_no_company_is_found_where_none_is_meant(table: list[str], kind: str) -> None:
    matched, of, *_ = numbers(table, f"{kind}, yet matched")
    assert matched == 0
    assert of >= 15


def test_every_kind_of_e_mail_address_is_told(table: list[str]) -> None:
    assert numbers(table, "Kind of e-mail address right")[2] == 100


@pytest.mark.parametrize(
    ("field", "least"),
    [
        ("account domain", 0.99),
        ("account city", 0.98),
        ("account country", 0.99),
        ("account industry", 0.98),
        ("account foundedYear", 0.98),
        ("lead firstName", 0.98),
        ("lead lastName", 0.99),
        ("lead companyDomain", 0.99),
        ("lead seniorityLevel", 0.99),
        ("lead department", 0.98),
    ],
)
def test_what_is_filled_is_right(table: list[str], field: str, least: float) -> None:
    right, wrong, _left = numbers(table, field)
    assert right > 20
    assert right / (right + wrong) >= least


def test_the_sources_are_as_certain_as_they_are_right(table: list[str]) -> None:
    values, error = numbers(table, "expected calibration error")
    assert values > 10_000
    assert error <= 0.03


def test_each_field_that_is_filled_wrongly_can_be_listed(table: list[str]) -> None:
    listed = [line for line in table if line.startswith("filled wrongly  ")]
    wrong = sum(
        int(match[1]) for line in table if (match := re.fullmatch(r"  (?:account|lead) \w+ +\d+ +(\d+) +\d+", line))
    )
    assert numbers(table, f"{len(listed)} empty fields were filled wrongly") == []
    assert len(listed) == wrong


@pytest.mark.parametrize(
    "label",
    [
        "A CRM value that is wrong, in total",
        "A name that is wrong, in total",
        "Sources that disagree, in total",
        "Conflicts about the industry",
        "Conflicts in total",
    ],
)
def test_conflicts_are_raised_where_they_should_be_and_nowhere_else(table: list[str], label: str) -> None:
    expected, raised, needless, precision, recall = numbers(table, label)
    assert expected > 100
    assert precision == pytest.approx(100 * (raised - needless) / raised, abs=0.1)
    assert recall == pytest.approx(100 * (raised - needless) / expected, abs=0.1)
    assert precision >= 99
    assert recall >= 97


def test_each_miss_can_be_listed(table: list[str]) -> None:
    _expected, _raised, needless, *_ = numbers(table, "Conflicts in total")
    listed = [line for line in table if line.startswith(("missed  ", "needless  "))]
    assert numbers(table, f"{len(listed)} conflicts were missed or needless") == []
    assert sum(line.startswith("needless  ") for line in listed) == needless
    assert all(re.search(r"  (held|named|dispute)  [a-zA-Z]+  (ACC|LEAD)-\d+  ", line) for line in listed)


def test_other_records_than_the_packaged_ones_can_be_scored(tmp_path: Path) -> None:
    files = {
        "accounts": "record_id,account_name,website\n1,Hochtief,\n2,Nobody Knows Us,\n",
        "accounts_truth": "record_id,kind,true_domain,canonical_name\n1,match,hochtief.com,HOCHTIEF\n2,no_match,,\n",
        "leads": "lead_id,email,title\n1,anna@hochtief.com,CEO\n",
        "leads_truth": "lead_id,company_domain,seniority,email_kind\n1,hochtief.com,C-Suite,corporate\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    lines: list[str] = []
    accounts, accounts_truth, leads, leads_truth = (tmp_path / name for name in files)
    main(accounts, accounts_truth, leads, leads_truth, out=lines.append, worlds=range(1))
    assert numbers(lines, "recognized rightly")[:2] == [1, 1]
    assert numbers(lines, "invented, yet matched")[:2] == [0, 1]
    assert numbers(lines, "lead seniorityLevel") == [1, 0, 0]


TRUTH = "record_id,kind,true_domain,canonical_name,true_industry,wrong_fields,conflict_fields,conflict_detail\n"


def held(tmp_path: Path, record: str, truth: str) -> list[str]:
    """The table of one account: its name, website and industry, and what the truth says of it."""
    (tmp_path / "accounts.csv").write_text(f"record_id,account_name,website,industry\n1,{record}\n", encoding="utf-8")
    (tmp_path / "truth.csv").write_text(f"{TRUTH}1,{truth}\n", encoding="utf-8")
    empty = {"leads": "lead_id,email\n", "leads_truth": "lead_id,company_domain,email_kind\n"}
    for name, text in empty.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    lines: list[str] = []
    code = main(
        tmp_path / "accounts.csv",
        tmp_path / "truth.csv",
        tmp_path / "leads.csv",
        tmp_path / "leads_truth.csv",
        out=lines.append,
        misses=True,
        worlds=range(1),
    )
    assert code == 0
    return lines


def test_a_wrong_value_that_raised_nothing_is_a_miss(tmp_path: Path) -> None:
    # The truth calls wrong what no source contradicts.
    lines = held(
        tmp_path,
        "HOCHTIEF,hochtief.com,construction",
        'match,hochtief.com,HOCHTIEF,Construction & Engineering,"{""industry"": ""construction""}",,',
    )
    assert numbers(lines, "A CRM value that is wrong, in total") == [1, 0, 0, 0]
    assert [line for line in lines if line.startswith("missed  held  industry  1")]


def test_a_conflict_on_a_right_value_is_needless(tmp_path: Path) -> None:
    lines = held(tmp_path, "HOCHTIEF,hochtief.com,Insurance", "match,hochtief.com,HOCHTIEF,Insurance,,,")
    assert numbers(lines, "A CRM value that is wrong, in total") == [0, 1, 1, 0]
    assert [line for line in lines if line.startswith("needless  held  industry  1")]


def test_a_conflict_on_a_value_that_the_sources_dispute_is_neither(tmp_path: Path) -> None:
    lines = held(tmp_path, "HOCHTIEF,hochtief.com,Insurance", "match,hochtief.com,HOCHTIEF,Insurance,,industry,")
    assert numbers(lines, "A CRM value that is wrong, in total") == [0, 0, 0]


def test_sources_that_differ_only_in_wording_are_no_dispute(tmp_path: Path) -> None:
    record, truth = "HOCHTIEF,hochtief.com,Insurance", "match,hochtief.com,HOCHTIEF,Insurance,,industry"
    wording = '"{""industry"": [[""a"", ""Banks""], [""b"", ""banking""]]}"'
    lines = held(tmp_path, record, f"{truth},{wording}")
    assert numbers(lines, "A CRM value that is wrong, in total") == [0, 1, 1, 0]
    lines = held(tmp_path, record, f"{truth},{wording.replace('banking', 'insurance')}")
    assert numbers(lines, "A CRM value that is wrong, in total") == [0, 0, 0]


def test_a_file_without_the_answers_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "accounts.csv").write_text("name\nHochtief\n", encoding="utf-8")
    lines: list[str] = []
    assert main(accounts=tmp_path / "accounts.csv", out=lines.append) == 2
    assert len(lines) == 1
    assert "has no column record_id" in lines[0]


def test_the_sample_shows_every_kind_of_record_and_is_a_few_hundred() -> None:
    records = list(sample_records())
    kinds = Counter(record["entityType"] for record in records)
    assert 200 <= kinds["account"] <= 300
    assert 100 <= kinds["lead"] <= 200
    assert len({(record["entityType"], record["externalId"]) for record in records}) == len(records)
    fields = [record["fields"] for record in records]
    for mess in ("HTTP://WWW.", "htp://", ", https://www.", "n/a", "=cmd|", "\u00a0", "u\u0308", "est. ", "~"):
        assert any(mess in value for values in fields for value in values.values()), mess


def test_sample_fields_are_of_the_catalogue_or_kept_as_unknown() -> None:
    cleaned = [clean(EntityType(record["entityType"]), record["fields"]) for record in sample_records()]
    unknown = {name for record in cleaned for name in record.unknown}
    assert unknown == {"fullName", "leadSource", "owner", "source", "createdAt"}


def test_the_sample_files_are_a_plain_export_that_can_be_opened() -> None:
    with Path("service/sample/accounts.csv").open(encoding="utf-8", newline="") as file:
        columns = next(csv.reader(file))
    assert columns[:3] == ["record_id", "account_name", "website"]
