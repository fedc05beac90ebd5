"""The directories: which company a record means, how sure that is, and what is told of it.

One file, because the tests share the packaged directories.
"""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from enrichment.catalogue import normalize
from enrichment.enums import EntityType
from providers.api import Answer, Question
from providers.directory.directory import Directory
from providers.directory.file import DirectoryFileError, read_companies
from providers.directory.reference import packaged
from tools.pack_directory import clean_name, main

DIRECTORY = Directory.packaged("directory", "Directory")
ARCHIVE = Directory.packaged("directory_archive", "Directory archive")


def account(**fields: Any) -> Question:
    return Question(EntityType.ACCOUNT, fields, frozenset())


def lead(**fields: Any) -> Question:
    return Question(EntityType.LEAD, fields, frozenset())


def value(answer: Answer, field: str) -> Any:
    return next((finding.value for finding in answer.findings if finding.field == field), None)


def confidence(answer: Answer, field: str = "domain") -> float:
    return next(finding.confidence for finding in answer.findings if finding.field == field)


async def domain_of(question: Question) -> Any:
    answer = await DIRECTORY.ask(question)
    field = "domain" if question.entity_type is EntityType.ACCOUNT else "companyDomain"
    return value(answer, field)


@pytest.mark.parametrize("field", ["domain", "website"])
async def test_an_account_is_recognized_by_domain_and_by_website(field: str) -> None:
    assert await domain_of(account(**{field: "https://shop.hochtief.com/de"})) == "hochtief.com"


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("Harley-Davidson, Inc.", "harley-davidson.com"),
        ("harley-davidson", "harley-davidson.com"),  # without its legal form
        ("Harely-Davidson, Inc.", "harley-davidson.com"),  # neighbours swapped
        ("HARLEY-DAVIDSON GMBH", "harley-davidson.com"),  # another legal form
        ("Kinghand Industrial Investment Group", "000615.com.cn"),  # a former name
        ("RATP", "ratp.fr"),  # the abbreviation that its name holds
        ("Philips", "philips.com"),  # what its domain says
        ("Tesla, Iinc.", "tesla.com"),  # the slip is in the legal form
        ("Siemens AG [EMEA]", None),  # two companies, and nothing that tells them apart
    ],
)
async def test_a_name_alone_is_enough_where_it_singles_out_one_company(name: str, domain: str | None) -> None:
    assert await domain_of(account(name=name)) == domain


@pytest.mark.parametrize(
    "name", ["Royal", "Klinikum", "Deutsche Bank", "National", "Premier", "Discovery", "Meetic SAS"]
)
async def test_a_name_that_several_companies_share_is_no_match(name: str) -> None:
    assert not (await DIRECTORY.ask(account(name=name))).matched


async def test_the_archive_does_not_take_an_ambiguous_name_for_the_only_one_it_holds() -> None:
    assert not (await ARCHIVE.ask(account(name="Deutsche Bank"))).matched
    assert (await ARCHIVE.ask(account(domain="db.com"))).matched


@pytest.mark.parametrize(
    ("clue", "domain"),
    [
        ({"country": "France"}, "meetic.fr"),
        ({"country": "Spain"}, "meetic.es"),
        ({"website": "https://meetic.it"}, "meetic.it"),
        ({"country": "Sweden"}, None),
    ],
)
async def test_a_country_or_a_domain_decides_between_companies_of_one_name(
    clue: dict[str, str], domain: str | None
) -> None:
    assert await domain_of(account(name="Meetic SAS", **clue)) == domain


async def test_initials_need_the_place_to_agree() -> None:
    assert await domain_of(account(name="HLI")) is None
    assert await domain_of(account(name="HLI", city="Mumbai", country="India")) == "hdfclife.com"
    assert await domain_of(account(name="HLI", country="Sweden")) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Gryvenova Plumbing Ltd", "website": "https://gryvenova.example", "country": "Norway"},
        {"name": "Acme Inc."},
        {"name": "Company"},
        {"name": "Z"},
        {"name": "Self employed", "website": "https://gmail.com"},
        {"website": "https://facebook.com/corner-bakery"},
        {"name": "12345"},
        {},
    ],
)
async def test_what_means_no_company_is_never_matched(fields: dict[str, str]) -> None:
    for directory in (DIRECTORY, ARCHIVE):
        assert not (await directory.ask(account(**fields))).matched


async def test_another_number_is_no_slip_of_the_pen(tmp_path: Path) -> None:
    directory = own_directory(tmp_path, "name,domain\nStudio Seven 1,one.test\n")
    assert await domain_in(directory, account(name="Studio Seven 2")) is None
    assert await domain_in(directory, account(name="Studio Sevn 1")) == "one.test"


async def test_a_name_that_agrees_raises_the_confidence_and_one_that_contradicts_is_a_doubt() -> None:
    alone = confidence(await DIRECTORY.ask(account(domain="tesla.com")))
    agreeing = confidence(await DIRECTORY.ask(account(domain="tesla.com", name="Tesla")))
    rename = confidence(await DIRECTORY.ask(account(domain="tesla.com", name="Corner Motors", city="Palo Alto")))
    assert agreeing > alone > rename
    for name in ("Corner Bakery", "Harley-Davidson, Inc."):
        assert not (await DIRECTORY.ask(account(domain="tesla.com", name=name))).matched


async def test_an_address_at_work_tells_an_employer_whose_name_differs_but_with_doubt() -> None:
    agreeing = value_confidence(await DIRECTORY.ask(lead(email="ann@tesla.com", company="Tesla")))
    differing = value_confidence(await DIRECTORY.ask(lead(email="ann@tesla.com", company="Corner Bakery")))
    anothers = value_confidence(await DIRECTORY.ask(lead(email="ann@tesla.com", company="Harley-Davidson, Inc.")))
    assert agreeing > differing > anothers


async def test_an_unknown_domain_speaks_against_a_name_unless_it_is_a_slip_for_the_known_one() -> None:
    alone = confidence(await DIRECTORY.ask(account(name="Clariant AG")))
    slip = confidence(await DIRECTORY.ask(account(name="Clariant AG", website="https://clariiant.com")))
    suffix = confidence(await DIRECTORY.ask(account(name="Clariant AG", website="https://clariant.de")))
    assert slip > alone > suffix
    assert not (await DIRECTORY.ask(account(name="Clariant AG", website="https://somewhere-else.com"))).matched


async def test_the_place_of_a_person_does_not_speak_against_the_company() -> None:
    at_home = value_confidence(await DIRECTORY.ask(lead(company="Harley-Davidson, Inc.")))
    abroad = value_confidence(await DIRECTORY.ask(lead(company="Harley-Davidson, Inc.", country="Germany")))
    assert at_home == abroad


def value_confidence(answer: Answer) -> float:
    return confidence(answer, "companyDomain")


async def test_a_lead_is_recognized_by_an_address_at_work() -> None:
    assert await domain_of(lead(email="anna.schmidt@hochtief.com")) == "hochtief.com"
    assert await domain_of(lead(email="info@hochtief.com")) == "hochtief.com"


@pytest.mark.parametrize("email", ["anna@gmx.net", "anna@web.de", "anna@mailinator.com", "anna@example.com", "anna"])
async def test_a_mail_provider_is_nobodys_employer(email: str) -> None:
    assert await domain_of(lead(email=email)) is None


async def test_a_mail_provider_is_still_a_company_when_it_is_the_account() -> None:
    assert await domain_of(account(name="GMX", website="https://gmx.net")) == "gmx.net"
    assert await domain_of(account(name="Corner Bakery", website="https://gmx.net")) is None


async def test_a_lead_is_told_of_its_company_but_not_where_the_head_office_is() -> None:
    answer = await DIRECTORY.ask(lead(email="anna.schmidt@hochtief.com"))
    told = {finding.field for finding in answer.findings}
    assert {"company", "companyDomain", "website", "industry"} <= told
    assert not told & {"city", "street", "state", "postalCode", "country", "phone"}
    assert value(answer, "company") == "HOCHTIEF Aktiengesellschaft"


async def test_a_name_that_others_use_for_the_company_is_confirmed_not_corrected() -> None:
    answer = await DIRECTORY.ask(account(name="Banorte", domain="banorte.com"))
    assert value(answer, "name") == "Banorte"


async def test_old_head_counts_say_how_old_they_are_and_are_not_trusted_far() -> None:
    answer = await ARCHIVE.ask(account(domain="3ds.com"))
    finding = next(finding for finding in answer.findings if finding.field == "numberOfEmployees")
    assert finding.observed_at is not None
    assert finding.observed_at < datetime(2018, 1, 1, tzinfo=UTC)
    assert finding.confidence < 0.6


async def test_a_listing_abroad_is_less_certain_than_one_at_home() -> None:
    at_home = await DIRECTORY.ask(account(domain="0101maruigroup.co.jp"))  # 8252.T
    abroad = await DIRECTORY.ask(account(domain="10xgenomics.com"))  # TXG.MX
    in_london = await DIRECTORY.ask(account(domain="incyte.com"))  # 0J9P.L, beside INCY
    assert confidence(at_home, "stockSymbol") > 0.8 > 0.5 > confidence(abroad, "stockSymbol")
    assert confidence(in_london, "stockSymbol") < 0.5


def test_all_leads_of_one_company_share_one_key() -> None:
    keys = {
        DIRECTORY.input_key(lead(email="anna@hochtief.com")),
        DIRECTORY.input_key(lead(email="ben@hochtief.com", title="CEO", country="France")),
        DIRECTORY.input_key(lead(companyDomain="hochtief.com")),
    }
    assert len(keys) == 1
    assert DIRECTORY.input_key(account(domain="hochtief.com")) not in keys
    assert DIRECTORY.input_key(lead(company="Hochtief")) not in keys  # less certain, so another answer


def test_a_record_without_domain_and_name_has_nothing_to_ask_with() -> None:
    assert DIRECTORY.input_key(lead(email="anna@gmail.com", firstName="Anna")) is None
    assert DIRECTORY.input_key(account(name="Self employed")) is None


@pytest.mark.parametrize("odd", [None, 7, True, [], {}, "", " ", "\x00", "🦄" * 5000, ["a"], "a" * 100_000])
async def test_odd_values_are_no_clue_and_no_error(odd: Any) -> None:
    for question in (account(name=odd, website=odd, country=odd, city=odd), lead(company=odd, email=odd, website=odd)):
        DIRECTORY.input_key(question)
        assert not (await DIRECTORY.ask(question)).matched


@pytest.mark.parametrize("name", ["directory", "directory_archive"])
def test_every_packaged_value_is_canonical(name: str) -> None:
    for company in packaged(name):
        hints = {"country": company.value("country")} if company.value("country") else {}
        for field, known in zip(company.fields, company.values, strict=True):
            assert normalize(EntityType.ACCOUNT, field, known, hints=hints) == known, (company.domain, field)


@pytest.mark.parametrize("directory", [DIRECTORY, ARCHIVE])
def test_a_directory_says_that_it_gives_exactly_what_its_entries_hold(directory: Directory) -> None:
    held = {field for company in packaged(directory.info.id) for field in company.fields}
    assert directory.info.gives[EntityType.ACCOUNT] == held | {"domain", "website"}


def test_the_packaged_files_are_small() -> None:
    data = Path("providers/data")
    assert sum(path.stat().st_size for path in data.iterdir()) < 2_000_000


# --- a file of the operator's own


def own_directory(folder: Path, text: str, name: str = "own.csv") -> Directory:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return Directory.of_file("directory", "Directory", path)


async def domain_in(directory: Directory, question: Question) -> Any:
    return value(await directory.ask(question), "domain")


async def test_an_operators_csv_answers_with_canonical_values(tmp_path: Path) -> None:
    text = (
        "\ufeffName;Note;Website;Employees;Postal Code;Country;Founded;Tags;as_of;Owner\n"
        "Zipfel Werke GmbH;x;HTTP://WWW.ZIPFEL.DE/;1.200;80331;Deutschland;est. 1977;steel, tools;2025-03;Eva\n"
    )
    answer = await own_directory(tmp_path, text).ask(account(website="https://zipfel.de"))
    assert value(answer, "name") == "Zipfel Werke GmbH"
    assert value(answer, "numberOfEmployees") == 1200
    assert value(answer, "country") == "Germany"
    assert value(answer, "foundedYear") == 1977
    assert value(answer, "tags") == ["steel", "tools"]
    assert answer.findings[0].observed_at == datetime(2025, 3, 1, tzinfo=UTC)


async def test_an_operators_json_lines_may_have_the_form_of_the_data_sets(tmp_path: Path) -> None:
    rows = [
        {"domain": "zipfel.de", "name": "Zipfel", "employees": 90, "as_of": "2012-2017", "brands": ["Zipfelix"]},
        {"domain": "zipfel.de", "name": "Zipfel Werke", "ticker": "ZIP", "founded": 1977},
    ]
    directory = own_directory(tmp_path, "\n".join(map(json.dumps, rows)) + "\n", "own.jsonl")
    answer = await directory.ask(account(name="Zipfelix"))
    assert value(answer, "domain") == "zipfel.de"
    assert value(answer, "stockSymbol") == "ZIP"  # the second row adds what was missing
    assert value(answer, "name") == "Zipfel"
    assert answer.findings[0].observed_at == datetime(2014, 7, 1, tzinfo=UTC)


async def test_a_company_of_the_package_is_unknown_to_an_operators_directory(tmp_path: Path) -> None:
    directory = own_directory(tmp_path, "name,domain\nZipfel,zipfel.de\n")
    assert await domain_in(directory, account(domain="hochtief.com")) is None


def test_another_content_of_the_file_is_another_question(tmp_path: Path) -> None:
    question = account(domain="zipfel.de")
    before = own_directory(tmp_path, "name,domain\nZipfel,zipfel.de\n").input_key(question)
    after = own_directory(tmp_path, "name,domain,city\nZipfel,zipfel.de,Ulm\n").input_key(question)
    assert before != after


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("own.csv", "name,domain\nZipfel,zipfel.de\n,\nOther,nowhere\n", "line 4: domain 'nowhere': "),
        ("own.csv", "name,domain,founded\nZipfel,zipfel.de,soon\n", "line 2: foundedYear 'soon': "),
        ("own.csv", "name,domain\n,zipfel.de\nx,y,z\n", "line 3: 3 cells under 2 columns"),
        ("own.csv", "company id,owner\n1,2\n", "line 1: no column called name, domain or website"),
        ("own.csv", "name,domain\n", "no companies in it"),
        ("own.csv", "", "line 1: no column"),
        ("own.csv", "name,city\nn/a,Ulm\n", "line 2: neither a name nor a domain"),
        ("own.jsonl", '{"name": "Zipfel"}\n{"name": \n', "line 2: not JSON"),
        ("own.jsonl", '["Zipfel"]\n', "line 1: not an object"),
        ("own.jsonl", '{"name": "Zipfel", "as_of": "lately"}\n', "line 1: as_of 'lately': not a date"),
        ("own.xlsx", "x", "neither CSV"),
    ],
)
def test_a_bad_file_is_refused_naming_file_line_and_fault(tmp_path: Path, name: str, text: str, fault: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DirectoryFileError) as refusal:
        read_companies(path)
    assert str(path) in str(refusal.value)
    assert fault in str(refusal.value)


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DirectoryFileError, match="cannot be read"):
        read_companies(tmp_path / "absent.csv")
    (tmp_path / "binary.csv").write_bytes(b"name,domain\n\xff\xfe,x.de\n")
    with pytest.raises(DirectoryFileError, match="not UTF-8"):
        read_companies(tmp_path / "binary.csv")


def test_many_faults_are_counted_but_not_all_told(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("name,domain\n" + "x,nowhere\n" * 30, encoding="utf-8")
    with pytest.raises(DirectoryFileError, match="and 25 more"):
        read_companies(path)


# --- packing

A = [
    {
        "domain": "amber.test",
        "name": "Amber Steel (The) Class A",
        "city": "BN Amsterdam",
        "postal_code": "1017",
        "country": "Netherlands",
        "country_code": "NL",
        "employees": 1001,
        "employee_range": "1001-5000",
        "sources": dict.fromkeys(
            ["name", "city", "postal_code", "country", "employees", "employee_range"], "remoteintech"
        ),
        "updated": "2022-05-01",
    },
    {
        "domain": "blue.test",
        "name": "Blue",
        "city": "Seaport Blvd",
        "country": "United States",
        "country_code": "US",
        "sources": dict.fromkeys(["name", "city", "country"], "datenanfragen"),
    },
]
B = [{"domain": "amber.test", "name": "Amber", "source": "wikipedia_yago3", "country": "Netherlands", "employees": 9}]


def pack(folder: Path) -> tuple[bytes, bytes]:
    for name, rows in (("companies.jsonl", A), ("companies_b.jsonl", B)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    main(folder, folder)
    return (folder / "directory.jsonl.gz").read_bytes(), (folder / "directory_archive.jsonl.gz").read_bytes()


def test_packing_is_deterministic_and_repairs_what_the_sources_are_known_for(tmp_path: Path) -> None:
    directory, archive = pack(tmp_path)
    assert (directory, archive) == pack(tmp_path)
    _, amber, blue = [json.loads(line) for line in gzip.decompress(directory).decode().splitlines()]
    assert amber["n"] == "The Amber Steel (The)"[:15]
    assert amber["v"] == ["Amsterdam", "Netherlands", "1001-5000", "1017 BN"]
    assert amber["a"]["known"] == ["Amber Steel (The) Class A", "Amber"]
    assert blue["v"] == ["United States"]


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("TAL Education Group Sponsored ADR Class A", "TAL Education Group"),
        ("Boeing Company (The)", "The Boeing Company"),
        ("Class A Foods", "Class A Foods"),
    ],
)
def test_the_class_of_a_share_is_no_part_of_a_name(raw: str, clean: str) -> None:
    assert clean_name(raw) == clean
