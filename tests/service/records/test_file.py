"""Records are read from files of any size, and bad lines are named."""

import json
from pathlib import Path

import pytest

from enrichment.enums import EntityType
from service.records.columns import Columns, UnreadableFile
from service.records.file import Line, RecordFile

ACCOUNTS = Columns(EntityType.ACCOUNT)


def read(path: Path, columns: Columns = ACCOUNTS) -> list[Line]:
    with RecordFile(path, columns).lines() as lines:
        return list(lines)


def written(tmp_path: Path, name: str, content: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_columns_become_the_fields_they_spell(tmp_path: Path) -> None:
    file = written(
        tmp_path, "a.csv", b"\xef\xbb\xbfId,Company Name,postal_code,LinkedIn URL,custom\r\n7,Acme,12345,x,y\r\n"
    )
    (line,) = read(file, Columns(EntityType.ACCOUNT, renamed={"Company Name": "name"}))
    assert line.record == {
        "entityType": "account",
        "externalId": "7",
        "fields": {"name": "Acme", "postalCode": "12345", "linkedinUrl": "x", "custom": "y"},
    }


def test_a_column_says_when_each_record_was_observed(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text("id,city,observed at\nL-1,Oakland,2026-01-05\nL-2,Berlin,\n", "utf-8")
    with RecordFile(path, Columns(EntityType.LEAD)).lines() as found:
        records = [line.record for line in found]
    assert records == [
        {"entityType": "lead", "externalId": "L-1", "fields": {"city": "Oakland"}, "observedAt": "2026-01-05"},
        {"entityType": "lead", "externalId": "L-2", "fields": {"city": "Berlin"}},
    ]


def test_bad_lines_of_a_csv_file_are_named_and_passed_over(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "a.csv",
        b'id,name\nA1,"two\nlines"\nA2,\xff\xfe\nA3,Acme,more\n\nA4,"open" quote\nA5,"Good"\n'
        + b"A6,"
        + b"x" * 2**21
        + b"\nA7,Last\n",
    )
    lines = read(file)
    assert [(line.number, line.fault is None) for line in lines] == [
        (2, True), (4, False), (5, False), (7, False), (8, True), (9, False), (10, True),
    ]  # fmt: skip
    assert lines[0].record is not None
    assert lines[0].record["fields"]["name"] == "two\nlines"
    json.dumps([line.text for line in lines])


def test_lines_of_jsonl_are_flat_or_whole_records(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "a.jsonl",
        b'\xef\xbb\xbf{"id": 7, "name": "Acme"}\n\n{"externalId": "8", "fields": {"name": "Globex"}}\n'
        b'[1]\n{oops\n{"name": "x"}\n',
    )
    lines = read(file)
    assert [line.number for line in lines] == [1, 3, 4, 5, 6]
    assert lines[0].record == {"entityType": "account", "externalId": 7, "fields": {"name": "Acme"}}
    assert lines[1].record == {"entityType": "account", "externalId": "8", "fields": {"name": "Globex"}}
    assert all(line.fault for line in lines[2:])


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.xlsx", b""), ("a.csv", b""), ("a.csv", b"name,name\n"), ("a.csv", b"name\nAcme\n")],
)
def test_a_file_that_cannot_be_read_is_refused_whole(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(UnreadableFile):
        read(written(tmp_path, name, content))
