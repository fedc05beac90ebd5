"""The command: what it takes, what it says, and that it can be repeated."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import jwt
import orjson
import pytest
import typer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from enrichment.enums import EntityType
from service.cli.import_records import BATCH_BYTES, ImportTally, send_file
from service.cli.token import _seconds
from service.records import senders
from service.records.file import Columns, Line, RecordFile, UnreadableFile
from service.records.senders import ApiSender, CannotSend, SendResult
from tests.support import processes
from tests.support.commands import command

ACCOUNTS = Columns(EntityType.ACCOUNT)
SECRET = "a-secret-of-more-than-thirty-two-bytes"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_a_token_says_what_was_asked_for(data_dir: Path) -> None:
    made = command(
        "token", "--org", "acme", "--role", "user", "--sub", "ann", "--ttl", "2h",
        data_dir=data_dir, AUTO_ENRICHMENT_JWT_SECRET=SECRET, AUTO_ENRICHMENT_PROT="1",
    )  # fmt: skip
    assert made.returncode == 0
    claims = jwt.decode(made.stdout.strip(), SECRET, ["HS256"])
    assert (claims["organizationId"], claims["role"], claims["sub"]) == ("acme", "USER", "ann")
    assert claims["exp"] - claims["iat"] == 7200
    assert "AUTO_ENRICHMENT_PROT is not a setting" in made.stderr
    assert SECRET not in made.stderr


@pytest.mark.parametrize(
    ("text", "seconds"), [("900", 900), ("30s", 30), ("5m", 300), ("12h", 43_200), ("7d", 604_800)]
)
def test_a_lifetime_has_a_unit(text: str, seconds: int) -> None:
    assert _seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1", "1w", "soon", "1.5h"])
def test_a_lifetime_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(typer.Exit):
        _seconds(text)


def test_bad_settings_are_a_line_each_and_no_traceback(data_dir: Path) -> None:
    bad = {"AUTO_ENRICHMENT_PORT": "x", "AUTO_ENRICHMENT_ENVIRONMENT": "staging"}
    refused = processes.command("serve", data_dir=data_dir, **bad)
    assert refused.returncode == 2
    lines = refused.stderr.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["AUTO_ENRICHMENT_ENVIRONMENT", "AUTO_ENRICHMENT_PORT"]


@pytest.mark.parametrize("arguments", [["serve"], ["serve", "--embedded"], ["worker"]])
def test_production_without_its_settings_is_refused(data_dir: Path, arguments: list[str]) -> None:
    refused = command(*arguments, data_dir=data_dir, AUTO_ENRICHMENT_ENVIRONMENT="production")
    assert refused.returncode == 2
    for name in ("JWT_SECRET", "DATABASE_URL", "REDIS_URL"):
        assert f"AUTO_ENRICHMENT_{name}: " in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not data_dir.exists()


def test_settings_are_listed_without_secrets(data_dir: Path) -> None:
    listed = command("settings", data_dir=data_dir, AUTO_ENRICHMENT_JWT_SECRET=SECRET, AUTO_ENRICHMENT_PORT="9000")
    assert listed.returncode == 0
    assert "AUTO_ENRICHMENT_PORT=9000" in listed.stdout
    assert "AUTO_ENRICHMENT_JWT_SECRET=********" in listed.stdout
    assert SECRET not in listed.stdout


def test_migrating_twice_changes_nothing(data_dir: Path) -> None:
    assert "applied 0001" in command("migrate", data_dir=data_dir).stdout
    assert "current already" in command("migrate", data_dir=data_dir).stdout


def test_an_unreachable_database_is_one_line_without_its_password(data_dir: Path) -> None:
    url = "postgresql://enrich:hunter2@127.0.0.1:1/enrich"
    refused = command("migrate", data_dir=data_dir, AUTO_ENRICHMENT_DATABASE_URL=url)
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert "AUTO_ENRICHMENT_DATABASE_URL" in line
    assert "hunter2" not in line


def test_a_file_goes_in_straight_and_comes_out_again(tmp_path: Path, data_dir: Path) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text(
        "account_id,account_name,website,Annual Revenue,owner\n"
        "A1,Acme GmbH,www.acme.example,,ann\n"
        "A2,Globex,globex.example,1000000,bob,too,many\n"
        ",Nameless,x.example,,\n"
        'A3,"Initech, Inc.",initech.example,5000,ann\n'
    )
    into = ("import", str(file), "--entity-type", "account", "--org", "acme", "--map", "account_name=name")
    first = command(*into, data_dir=data_dir)
    assert "4 records: 2 new, 0 changed, 0 unchanged, 2 refused." in first.stdout
    assert first.returncode == 1
    rejects = [json.loads(line) for line in (tmp_path / "accounts.csv.rejects.jsonl").read_text().splitlines()]
    assert [reject["line"] for reject in rejects] == [3, 4]
    assert "cells" in rejects[0]["fault"]
    assert "externalId" in rejects[1]["fault"]

    again = command(*into, data_dir=data_dir)
    assert "0 new, 0 changed, 2 unchanged, 2 refused" in again.stdout

    exported = command("export", "--org", "acme", data_dir=data_dir)
    records = {record["externalId"]: record for record in map(json.loads, exported.stdout.splitlines())}
    assert set(records) == {"A1", "A3"}
    assert records["A3"]["fields"]["name"] == "Initech, Inc."
    assert records["A3"]["fields"]["annualRevenue"] == 5000
    assert records["A1"]["fields"]["owner"] == "ann"

    table = command("export", "--org", "acme", "--format", "csv", "-t", "account", data_dir=data_dir)
    rows = list(csv.DictReader(io.StringIO(table.stdout)))
    assert {row["externalId"]: row["name"] for row in rows} == {"A1": "Acme GmbH", "A3": "Initech, Inc."}
    assert all(json.loads(row["otherFields"]) == {"owner": "ann"} for row in rows)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--entity-type", "account"], "--org"),
        (["--entity-type", "account", "--url", "http://127.0.0.1:1"], "--token"),
        (["--entity-type", "account", "--org", "acme", "--map", "name"], "column=field"),
        (["--entity-type", "account", "--org", "acme", "--id-column", "nr"], "no column nr"),
        (["--entity-type", "company", "--org", "acme"], "company"),
    ],
)
def test_an_import_that_cannot_be_is_explained(tmp_path: Path, data_dir: Path, arguments: list[str], said: str) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text("id,name\nA1,Acme\n")
    refused = command("import", str(file), *arguments, data_dir=data_dir)
    assert refused.returncode != 0
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


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


class Taking:
    """A receiver that takes everything, and notes the sizes of what it was sent."""

    def __init__(self) -> None:
        self.sent: list[list[str]] = []
        self.bytes: list[int] = []

    async def send(self, records: Sequence[Mapping[str, Any]]) -> list[SendResult]:
        self.sent.append([record["externalId"] for record in records])
        self.bytes.append(len(orjson.dumps(records)))
        return [SendResult("created") for _ in records]


async def test_a_file_is_sent_in_batches_and_can_go_on_in_the_middle(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", b"id,name\n" + b"".join(b"A%d,Acme\n" % number for number in range(2500)))
    taking, tally = Taking(), ImportTally()
    await send_file(RecordFile(file, ACCOUNTS), taking, tmp_path / "rejects", tally)
    assert [len(batch) for batch in taking.sent] == [1000, 1000, 500]
    assert (tally.outcomes["created"], tally.last_line) == (2500, 2501)
    assert not (tmp_path / "rejects").exists()

    later = Taking()
    await send_file(RecordFile(file, ACCOUNTS), later, tmp_path / "rejects", ImportTally(), from_line=2401)
    assert later.sent[0][0] == "A2399"
    assert sum(map(len, later.sent)) == 101


async def test_a_batch_fits_into_a_request(tmp_path: Path) -> None:
    row = b"A%d," + b"x" * 60_000 + b"\n"
    file = written(tmp_path, "a.csv", b"id,name\n" + b"".join(row % number for number in range(200)))
    taking = Taking()
    await send_file(RecordFile(file, ACCOUNTS), taking, tmp_path / "rejects", ImportTally())
    assert sum(map(len, taking.sent)) == 200
    assert max(taking.bytes) < BATCH_BYTES * 1.01


class Service:
    """A service that answers as the test says, request by request."""

    def __init__(self, *answers: tuple[int, dict[str, str]], most: int = 1000) -> None:
        self.answers = list(answers)
        self.most = most
        self.sizes: list[int] = []

    async def answer(self, request: Request) -> Response:
        records = (await request.json())["records"]
        self.sizes.append(len(records))
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        if status == 200 and len(records) > self.most:
            status = 413
        if status != 200:
            return JSONResponse({"code": "X", "detail": "so it is"}, status, headers)
        return JSONResponse({"results": [{"outcome": "created", "error": None} for _ in records]})

    def client(self) -> httpx.AsyncClient:
        app = Starlette(routes=[Route(senders.PATH, self.answer, methods=["POST"])])
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(senders, "LONGEST_PAUSE_SECONDS", 0.01)


RECORDS = [{"externalId": str(number)} for number in range(8)]


async def test_a_busy_service_is_asked_again(no_pauses: None) -> None:
    service = Service((503, {"Retry-After": "5"}), (429, {}), (502, {}))
    async with service.client() as client:
        assert len(await ApiSender(client).send(RECORDS)) == 8
    assert service.sizes == [8, 8, 8, 8]


async def test_a_batch_that_is_too_large_is_halved(no_pauses: None) -> None:
    service = Service(most=2)
    async with service.client() as client:
        assert len(await ApiSender(client).send(RECORDS)) == 8
    assert service.sizes == [8, 4, 2, 2, 4, 2, 2]


@pytest.mark.parametrize("status", [401, 403, 404, 422])
async def test_a_refusal_ends_the_import_and_is_shown(no_pauses: None, status: int) -> None:
    service = Service((status, {}))
    async with service.client() as client:
        with pytest.raises(CannotSend, match=f"{status} X: so it is"):
            await ApiSender(client).send(RECORDS)
    assert service.sizes == [8]


async def test_a_service_out_of_reach_for_long_ends_the_import(no_pauses: None) -> None:
    async with senders.api_client("http://127.0.0.1:1", "token") as client:
        with pytest.raises(CannotSend, match="ConnectError"):
            await ApiSender(client).send(RECORDS)
