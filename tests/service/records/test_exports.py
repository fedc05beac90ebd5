"""Files as people have them: the exports of CRMs, the encodings and separators of spreadsheets, lines around a table.

One file, because each test is a file of few lines and what is read of it.
"""

import codecs
from pathlib import Path
from typing import Any

import pytest

from enrichment.catalogue import fields_of
from enrichment.clean import clean
from enrichment.enums import EntityType
from service.records.columns import Columns, UnreadableFile
from service.records.file import Line, RecordFile
from service.records.moments import DateOrder

LEAD, CONTACT, ACCOUNT = EntityType.LEAD, EntityType.CONTACT, EntityType.ACCOUNT


def lines_of(tmp_path: Path, content: bytes, kind: EntityType, name: str = "file.csv", **said: Any) -> list[Line]:
    path = tmp_path / name
    path.write_bytes(content)
    with RecordFile(path, Columns(kind, **said)).lines() as lines:
        return list(lines)


def records_of(tmp_path: Path, text: str, kind: EntityType, **said: Any) -> list[dict[str, Any]]:
    return [line.record for line in lines_of(tmp_path, text.encode(), kind, **said) if line.record is not None]


HUBSPOT_CONTACTS = """\
Record ID,First Name,Last Name,Email,Phone Number,Mobile Phone Number,Job Title,Company Name,Website URL,City,\
State/Region,Postal Code,Country/Region,Number of Employees,LinkedIn URL,Contact owner,Lead Status,Last Modified Date
501000000101,Mara,Fixtureson,mara@nordlicht.example,+49 30 901820,+49 170 1234567,Head of Sales,Nordlicht Musik,\
nordlicht.example,Munich,Bavaria,80333,Germany,250,https://www.linkedin.com/in/mara-fixtureson-1/,Sam Seller,NEW,\
2026-01-15 10:00
"""
HUBSPOT_COMPANIES = """\
Record ID,Company name,Company Domain Name,Website URL,Phone Number,Street Address,City,State/Region,Postal Code,\
Country/Region,Industry,Number of Employees,Annual Revenue,Year Founded,LinkedIn Company Page,Company owner
9001,Nordlicht Musik,nordlicht.example,,+49 30 901820,Hauptstr. 1,Munich,Bavaria,80333,Germany,COMPUTER_SOFTWARE,250,\
12500000,1998,https://www.linkedin.com/company/nordlicht-musik,Sam Seller
"""
SALESFORCE_LEADS = """\
"Lead ID","First Name","Last Name","Title","Company / Account","Email","Phone","Mobile","Street","City",\
"State/Province","Zip/Postal Code","Country","Website","No. of Employees","Annual Revenue","Lead Source"
"00Q5g00000AbCdE","Priya","Fixtureson","VP Marketing","Nordlicht Musik","priya@nordlicht.example","(212) 555-0142","",\
"150 Greenwich St","New York","NY","10007","United States","www.nordlicht.example","8,000","USD 13,200,000","Web"
"""
SALESFORCE_ACCOUNTS = """\
"Account ID","Account Name","Website","Phone","Billing Street","Billing City","Billing State/Province",\
"Billing Zip/Postal Code","Billing Country","Employees","Industry","Ticker Symbol","Parent Account","Type"
"0015g00000XyZab","Nordlicht Musik AB","www.nordlicht.example","","Regeringsgatan 19","Stockholm","","111 53","Sweden",\
"8000","Media","NLM","Nordlicht Holding","Customer"
"""
APOLLO_CONTACTS = """\
First Name,Last Name,Title,Company,Company Name for Emails,Email,Seniority,Departments,Work Direct Phone,Mobile Phone,\
Corporate Phone,# Employees,Industry,Person Linkedin Url,Website,Company Linkedin Url,City,Country,Apollo Contact Id,\
Apollo Account Id
Layla,Fixtureson,CFO,Nordlicht Musik,Nordlicht,layla@nordlicht.example,C suite,Finance,,'+49 170 1234567,\
'+49 30 901820,8000,media,http://www.linkedin.com/in/layla-fixtureson-123,http://www.nordlicht.example,\
http://www.linkedin.com/company/nordlicht,Stockholm,Sweden,65f1c2a3b4d5e6f708192a3b,65f1c2a3b4d5e6f708192a3c
"""
PIPEDRIVE_PEOPLE = """\
"ID";"Name";"First name";"Last name";"Organization";"Email - Work";"Phone - Work";"Job title";"Update time"
"7";"Ida Fixtureson";"Ida";"Fixtureson";"Nordlicht Musik";"ida@nordlicht.example";"+49 30 901820";"Buyer";"x"
"""


@pytest.mark.parametrize(
    ("text", "kind", "external_id", "fields"),
    [
        (
            HUBSPOT_CONTACTS, CONTACT, "501000000101",
            {
                "firstName": "Mara", "email": "mara@nordlicht.example", "phone": "+4930901820", "city": "Munich",
                "mobilePhone": "+491701234567", "title": "Head of Sales", "company": "Nordlicht Musik",
                "website": "https://nordlicht.example", "state": "Bavaria", "country": "Germany",
                "numberOfEmployees": 250, "linkedinUrl": "https://www.linkedin.com/in/mara-fixtureson-1",
            },
        ),
        (
            HUBSPOT_COMPANIES, ACCOUNT, "9001",
            {
                "name": "Nordlicht Musik", "domain": "nordlicht.example", "phone": "+4930901820",
                "street": "Hauptstr. 1", "state": "Bavaria", "country": "Germany", "foundedYear": 1998,
                "linkedinUrl": "https://www.linkedin.com/company/nordlicht-musik",
            },
        ),
        (
            SALESFORCE_LEADS, LEAD, "00Q5g00000AbCdE",
            {"company": "Nordlicht Musik", "state": "New York", "postalCode": "10007", "numberOfEmployees": 8000},
        ),
        (
            SALESFORCE_ACCOUNTS, ACCOUNT, "0015g00000XyZab",
            {
                "name": "Nordlicht Musik AB", "street": "Regeringsgatan 19", "city": "Stockholm",
                "postalCode": "111 53", "country": "Sweden", "numberOfEmployees": 8000, "stockSymbol": "NLM",
                "parentCompany": "Nordlicht Holding",
            },
        ),
        (
            APOLLO_CONTACTS, CONTACT, "65f1c2a3b4d5e6f708192a3b",
            {
                "linkedinUrl": "https://www.linkedin.com/in/layla-fixtureson-123", "numberOfEmployees": 8000,
                "mobilePhone": "+491701234567", "phone": "+4930901820", "company": "Nordlicht Musik",
            },
        ),
        (
            PIPEDRIVE_PEOPLE, CONTACT, "7",
            {
                "firstName": "Ida", "company": "Nordlicht Musik", "email": "ida@nordlicht.example",
                "phone": "+4930901820", "title": "Buyer",
            },
        ),
    ],
)  # fmt: skip
def test_the_exports_of_crms_are_read_by_their_own_headers(
    tmp_path: Path, text: str, kind: EntityType, external_id: str, fields: dict[str, Any]
) -> None:
    [record] = records_of(tmp_path, text, kind)
    assert record["externalId"] == external_id
    values = clean(kind, record["fields"]).values
    assert {name: values.get(name) for name in fields} == fields


@pytest.mark.parametrize(
    ("text", "kind", "external_id", "fields"),
    [
        (
            "(Do Not Modify) Contact;First Name;Business Phone;Address 1: City;Modified On\na-1;Jo;1;Rome;x\n",
            CONTACT, "a-1", {"firstName": "Jo", "phone": "1", "city": "Rome"},
        ),
        (
            "Person - ID|Person - Organization|Person - Email - Work|Person - Phone - Work\n4|Acme|a@b.example|5\n",
            CONTACT, "4", {"company": "Acme", "email": "a@b.example", "phone": "5"},
        ),
        (
            "Company\tCompany Street\tCompany City\t# Employees\tApollo Account Id\nAcme\tX 1\tRome\t7\te1\n",
            ACCOUNT, "e1", {"name": "Acme", "street": "X 1", "city": "Rome", "numberOfEmployees": "7"},
        ),
        (
            "ID;Vorname;Nachname;Firma;Straße;PLZ;Ort;Land\n1;Jo;Fink;Acme;X 1;01067;Dresden;Deutschland\n",
            LEAD, "1",
            {
                "firstName": "Jo", "lastName": "Fink", "company": "Acme", "street": "X 1", "postalCode": "01067",
                "city": "Dresden", "country": "Deutschland",
            },
        ),
        ("ID,Region,Company City,Name\n1,EMEA,Rome,Jo Fink\n", LEAD, "1", {}),
    ],
)  # fmt: skip
def test_other_names_of_columns_are_known_where_they_leave_no_doubt(
    tmp_path: Path, text: str, kind: EntityType, external_id: str, fields: dict[str, Any]
) -> None:
    [record] = records_of(tmp_path, text, kind)
    assert record["externalId"] == external_id
    assert {name: value for name, value in record["fields"].items() if name in fields_of(kind)} == fields


def test_a_whole_name_in_one_cell_is_what_the_signals_read(tmp_path: Path) -> None:
    [record] = records_of(tmp_path, "ID,Name\n1,Jo Fink\n", LEAD)
    assert record["fields"] == {"fullName": "Jo Fink"}
    [record] = records_of(tmp_path, "ID,Name\n1,Acme\n", ACCOUNT)
    assert record["fields"] == {"name": "Acme"}


def test_the_day_of_the_last_change_is_when_the_record_was_observed(tmp_path: Path) -> None:
    [record] = records_of(tmp_path, HUBSPOT_CONTACTS, CONTACT)
    assert record["observedAt"] == "2026-01-15 10:00"
    [other] = records_of(tmp_path, HUBSPOT_CONTACTS.replace("2026-01-15 10:00", "1/15/26"), CONTACT)
    assert "observedAt" not in other
    assert other["fields"]["Last Modified Date"] == "1/15/26"  # of which century


def test_dates_are_read_as_the_file_writes_them(tmp_path: Path) -> None:
    text = "ID,City,Last Modified Date\n1,Rome,1/2/2026\n2,Rome,1/15/2026 5:03 PM\n3,Rome,soon\n"
    records = records_of(tmp_path, text, LEAD)
    assert [record.get("observedAt") for record in records] == ["2026-01-02T00:00:00", "2026-01-15T17:03:00", None]
    assert records[2]["fields"]["Last Modified Date"] == "soon"
    unsure = text.replace("1/15/2026", "1/5/2026")
    assert all("observedAt" not in record for record in records_of(tmp_path, unsure, LEAD))
    told = records_of(tmp_path, unsure, LEAD, date_order=DateOrder.DAY_FIRST)
    assert [record.get("observedAt") for record in told] == ["2026-02-01T00:00:00", "2026-05-01T17:03:00", None]


def test_of_two_columns_for_a_field_the_better_one_counts_and_the_other_keeps_its_name(tmp_path: Path) -> None:
    [record] = records_of(tmp_path, "id,Corporate Phone,Work Direct Phone\n1,222,111\n", LEAD)
    assert record["fields"] == {"phone": "111", "Corporate Phone": "222"}
    [record] = records_of(tmp_path, "id,work_phone,phone\n1,222,\n", LEAD)
    assert record["fields"] == {"phone": "", "work_phone": "222"}  # the field's own column is there
    [record] = records_of(tmp_path, "id,Phone Number,x\n1,2,3\n", LEAD, renamed={"x": "phone"})
    assert record["fields"] == {"phone": "3", "Phone Number": "2"}  # what the caller says goes before


TWO = [("1", "Zoë", "Müller", "Köln", "0221 901820", "Germany"), ("2", "José", "Núñez", "São Paulo", "011", "Brazil")]


def table(separator: str, *, quote: str = "", end: str = "\r\n") -> str:
    rows = [("id", "firstName", "lastName", "city", "phone", "country"), *TWO]
    return "".join(separator.join(f"{quote}{cell}{quote}" for cell in row) + end for row in rows)


def is_two(lines: list[Line]) -> bool:
    records = [line.record for line in lines]
    return [(record or {}).get("externalId") for record in records] == ["1", "2"] and [
        tuple((record or {})["fields"].values()) for record in records
    ] == [row[1:] for row in TWO]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("before", ["", "sep={}\r\n", "My report\r\n\r\n"])
def test_cells_are_separated_by_what_separates_them(tmp_path: Path, separator: str, quote: str, before: str) -> None:
    text = before.format(separator) + table(separator, quote=quote)
    assert is_two(lines_of(tmp_path, text.encode(), LEAD, "file.tsv" if separator == "\t" else "file.csv"))


@pytest.mark.parametrize("separator", [",", "\t"])
@pytest.mark.parametrize(
    "content",
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.encode("utf-32"),
        lambda text: text.encode("windows-1252"),
        lambda text: text.encode("mac-roman"),
        lambda text: text.encode("cp850"),
    ],
)
def test_text_is_read_in_the_encodings_of_spreadsheets(tmp_path: Path, separator: str, content: Any) -> None:
    assert is_two(lines_of(tmp_path, content(table(separator)), LEAD))


@pytest.mark.parametrize("name", ["windows-1252", "mac-roman", "cp850"])
@pytest.mark.parametrize("city", ["Köln", "Zürich", "Málaga", "Orléans", "Gävle", "ÜNDING", "Gießen-Süd"])
def test_one_city_is_enough_to_tell_the_encoding(tmp_path: Path, city: str, name: str) -> None:
    [line] = lines_of(tmp_path, f"id,city\n1,{city}\n".encode(name), LEAD)
    assert line.record is not None
    assert line.record["fields"] == {"city": city}


@pytest.mark.parametrize("text", ["Kid\u2019s", "a “good” one", "Acme®", "L\u2019Oréal"])
def test_signs_of_windows_are_no_letters_of_another_machine(tmp_path: Path, text: str) -> None:
    [line] = lines_of(tmp_path, f"id,company\n1,{text}\n".encode("windows-1252"), LEAD)
    assert line.record is not None
    assert line.record["fields"] == {"company": text}


def test_an_encoding_that_no_byte_tells_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes("id,city\n1,Łódź\n".encode("windows-1250"))
    with RecordFile(path, Columns(LEAD), "windows-1250").lines() as lines:
        assert [line.record and line.record["fields"] for line in lines] == [{"city": "Łódź"}]


def test_utf_8_may_be_said_as_well(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(codecs.BOM_UTF8 + "id,city\n1,Köln\n2,\xff\n".encode() + b"3,\xff\xfe\n")
    with RecordFile(path, Columns(LEAD), "utf-8").lines() as lines:
        assert [line.fault for line in lines] == [None, None, "not UTF-8"]


def test_a_header_with_a_stray_quote_is_read(tmp_path: Path) -> None:
    [line] = lines_of(tmp_path, b'"id"x,name,city\n1,Acme,Rome\n', ACCOUNT, id_column="idx")
    assert (line.number, line.record and line.record["externalId"]) == (2, "1")


def test_objects_are_read_in_other_encodings_too(tmp_path: Path) -> None:
    text = '{"id": 1, "city": "Köln"}\n'
    for content in (text.encode("utf-16"), text.encode("windows-1252")):
        [line] = lines_of(tmp_path, content, LEAD, "file.jsonl")
        assert line.record is not None
        assert line.record["fields"] == {"city": "Köln"}


CONNECTIONS = """\
Notes:
"When exporting, some addresses are missing."

First Name,Last Name,URL,Email Address,Company,Position,Connected On
Jo,Fixtureson,https://www.linkedin.com/in/jo-fixtureson-1a2b3c,,Nordlicht Musik,Account Executive,05 Jan 2026
"""


def test_the_header_is_found_below_notes(tmp_path: Path) -> None:
    for said in ({"id_column": "URL"}, {}):
        [line] = lines_of(tmp_path, CONNECTIONS.encode(), CONTACT, **said)
        assert line.number == 5
        assert line.record is not None
        assert line.record["externalId"] == "https://www.linkedin.com/in/jo-fixtureson-1a2b3c"
        assert line.record["fields"]["title"] == "Account Executive"


@pytest.mark.parametrize(
    "after",
    [
        '\n"Confidential Information - Do Not Distribute"\nCopyright (c) 2000-2026 example\n',
        '"Copyright (c) 2000-2026 example, inc. All rights reserved."\n',
        "Copyright (c) 2000-2026 example, inc. All rights reserved.\n",
        "Confidential Information - Do Not Distribute,,\n",
        "Grand Totals (1 record),,\nTotal,1,\n",
        "Sum: 1,,\nSumme: 1,,\nGesamtsumme,1,\nTotal général,1,\nSub-total,1,\n",
    ],
)
def test_lines_below_the_table_are_no_records(tmp_path: Path, after: str) -> None:
    lines = lines_of(tmp_path, f"id,name,city\n1,Nordlicht Musik,Berlin\n{after}".encode(), ACCOUNT)
    assert [line.record["externalId"] for line in lines if line.record] == ["1"]
    assert all("no record" in line.fault for line in lines if line.fault)
    assert len(lines) > 1


def test_an_id_is_read_without_the_guard_of_a_spreadsheet(tmp_path: Path) -> None:
    records = records_of(tmp_path, 'id,city\n"=""00123""",Berlin\n\'0045,Rome\n', LEAD)
    assert [record["externalId"] for record in records] == ["00123", "0045"]


def test_a_file_without_an_id_says_which_columns_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"--id-column; there are First Name, City"):
        lines_of(tmp_path, b"First Name,City\nJo,Rome\n", LEAD)


def test_what_was_rejected_can_be_corrected_and_sent_again(tmp_path: Path) -> None:
    rejected = b'{"line": 7, "fault": "no id", "content": {"Record ID": "5", "Company Name": "Acme"}}\n'
    [line] = lines_of(tmp_path, rejected, ACCOUNT, "file.csv.rejects.jsonl")
    assert line.record == {"entityType": "account", "externalId": "5", "fields": {"name": "Acme"}}


def test_our_own_export_has_no_values_of_its_own(tmp_path: Path) -> None:
    header = "entityType,externalId,completeness,version,lastEnrichedAt,city,otherFields,unreadable\n"
    good = 'lead,L1,40,3,2026-01-05T00:00:00Z,Rome,"{""owner"":""ann""}","[{""field"":""phone"",""raw"":""?""}]"\n'
    [record] = records_of(tmp_path, header + good, LEAD)
    assert record == {
        "entityType": "lead",
        "externalId": "L1",
        "fields": {"city": "Rome", "owner": "ann", "phone": "?"},
    }
    faults = [
        line.fault
        for row in (
            "account,A1,1,1,,Rome,,\n",
            "lead,L2,1,1,,Rome,{,\n",
            "lead,L3,1,1,,Rome,[1],\n",
            "lead,L4,1,1,,,,[1]\n",
        )
        for line in lines_of(tmp_path, (header + row).encode(), LEAD)
    ]
    assert faults == [
        "not lead, but account",
        "otherFields or unreadable: not JSON",
        "otherFields: not a JSON object",
        "unreadable: not a list of field and raw",
    ]


def test_our_own_export_has_its_own_id(tmp_path: Path) -> None:
    about = '"entityType":"lead","externalId":"L1","completeness":4,"version":1,"lastEnrichedAt":null'
    sent = f'{{{about},"fields":{{"city":"Rome"}}}}\n'.encode()
    [line] = lines_of(tmp_path, sent, LEAD, "file.jsonl", id_column="Id")
    assert line.record == {"entityType": "lead", "externalId": "L1", "fields": {"city": "Rome"}}
