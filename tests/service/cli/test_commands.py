"""The command: what it takes, what it says, and that it can be repeated."""

import csv
import io
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import jwt
import pytest
import typer

from service.cli.index import COMMANDS
from service.cli.token import _seconds
from tests.support import processes
from tests.support.commands import command

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


def test_an_export_runs_no_formula_and_is_read_again_as_what_it_was_made_of(tmp_path: Path, data_dir: Path) -> None:
    sent = {
        "externalId": "=cmd|' /C calc'!A0",
        "fields": {
            "name": "@Acme",
            "phone": "+493090182000",
            "city": "-Berlin",
            "owner": "ann",
            "numberOfEmployees": "many",
        },
    }
    file, table = tmp_path / "accounts.jsonl", tmp_path / "accounts.csv"
    file.write_text(json.dumps(sent) + "\n")
    assert command("import", str(file), "-t", "account", data_dir=data_dir).returncode == 0
    assert command("export", "--format", "csv", "-t", "account", "--out", str(table), data_dir=data_dir).returncode == 0
    [row] = csv.DictReader(io.StringIO(table.read_text()))
    assert [row[name] for name in ("externalId", "name", "phone", "city")] == [
        "'=cmd|' /C calc'!A0",
        "'@Acme",
        "'+493090182000",
        "'-Berlin",
    ]
    written = command("export", data_dir=data_dir).stdout
    assert json.loads(written)["unreadable"]
    file.write_text(written)
    for organization, exported in (("of table", table), ("of objects", file)):
        again = command("import", str(exported), "-t", "account", "--org", organization, data_dir=data_dir)
        assert "1 new" in again.stdout
        assert command("export", "--org", organization, data_dir=data_dir).stdout == written


def test_an_import_finds_the_data_directory_by_itself(tmp_path: Path, data_dir: Path) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text("id,name\nA1,Acme\n")
    first = command("import", str(file), "--entity-type", "account", data_dir=data_dir)
    assert (first.returncode, "1 records: 1 new, 0 changed, 0 unchanged, 0 refused." in first.stdout) == (0, True)
    assert f"the data directory {data_dir}, organization sample" in first.stderr
    exported = command("export", data_dir=data_dir)
    assert [record["externalId"] for record in map(json.loads, exported.stdout.splitlines())] == ["A1"]
    assert command("export", "--org", "other", data_dir=data_dir).stdout == ""


def test_an_import_says_what_it_left_out(tmp_path: Path, data_dir: Path) -> None:
    file = tmp_path / "silent.csv"
    file.write_text(
        "id,name,phone,numberOfEmployees,linkedinUrl,work_phone\n"
        "1,Nordlicht Musik,'+49 30 901820,Small (1-50),https://www.linkedin.com/sales/company/207470,+49 30 901820\n"
    )
    dry = command("import", str(file), "--entity-type", "account", "--dry-run", data_dir=data_dir)
    assert (dry.returncode, "kept as they are: work_phone" in dry.stdout) == (0, True)
    assert command("export", data_dir=data_dir).stdout == ""
    done = command("import", str(file), "--entity-type", "account", data_dir=data_dir)
    assert (done.returncode, "work_phone" in done.stderr) == (0, True)
    assert "numberOfEmployees: 1 not understood, kept as sent: not a number (1)" in done.stdout
    assert "linkedinUrl: 1 not understood" in done.stdout
    [reject] = (tmp_path / "silent.csv.rejects.jsonl").read_text().splitlines()
    assert json.loads(reject)["content"]["numberOfEmployees"] == "Small (1-50)"


def test_an_address_that_nothing_of_ours_answers_at_is_passed_over(tmp_path: Path, data_dir: Path) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text("id,name\nA1,Acme\n")
    data_dir.mkdir(exist_ok=True)
    (data_dir / "jwt-secret").write_text("0f" * 32)
    (data_dir / "address").write_text("http://127.0.0.1:1\n")
    first = command("import", str(file), "--entity-type", "account", data_dir=data_dir)
    assert (first.returncode, "1 new" in first.stdout) == (0, True)


@pytest.mark.parametrize("stores", [{"DATABASE_URL": "sqlite:///x.db"}, {"REDIS_URL": "redis://127.0.0.1:1"}])
def test_an_import_into_stores_of_ones_own_has_to_say_for_whom(
    tmp_path: Path, data_dir: Path, stores: dict[str, str]
) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text("id,name\nA1,Acme\n")
    settings = {f"AUTO_ENRICHMENT_{name}": value for name, value in stores.items()}
    refused = command("import", str(file), "--entity-type", "account", data_dir=data_dir, **settings)
    assert (refused.returncode, "--org" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--entity-type", "account", "--id-column", "nr"], "no column nr"),
        (["--entity-type", "account", "--url", "http://127.0.0.1:1"], "--token"),
        (["--entity-type", "account", "--org", "acme", "--map", "name"], "column=field"),
        (["--entity-type", "account", "--org", "acme", "--id-column", "nr"], "no column nr"),
        (["--entity-type", "company", "--org", "acme"], "company"),
        (["--entity-type", "account", "--org", "acme", "--encoding", "klingon"], "no such encoding"),
        (["--entity-type", "account", "--org", "acme", "--encoding", "base64"], "no such encoding"),
    ],
)
def test_an_import_that_cannot_be_is_explained(
    tmp_path: Path, data_dir: Path, arguments: list[str], message: str
) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text("id,name\nA1,Acme\n")
    refused = command("import", str(file), *arguments, data_dir=data_dir)
    assert refused.returncode != 0
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_help_lists_every_command_and_imports_none() -> None:
    program = (
        "import sys; sys.argv = ['auto-enrichment', '--help']\n"
        "from service.cli.main import main\n"
        "try: main()\n"
        "finally: print('imported', {'service.cli.serve', 'strawberry', 'tortoise'} & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", program], cwd=processes.ROOT, capture_output=True, text=True)
    assert shown.stdout.rstrip().endswith("imported set()")
    for name, described in COMMANDS.items():
        function = getattr(import_module(f"service.cli.{described.module}"), described.function)
        assert described.line == (function.__doc__ or "").splitlines()[0]
        assert f" {name} " in shown.stdout
