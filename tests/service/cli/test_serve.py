"""`serve`: it says what should not stay so, starts, answers, ends with its stores, and starts again after a crash."""

import signal
import socket
import stat
from pathlib import Path

import httpx
import pytest

from resolvers.context import Role
from service.auth.shared_secret import development_token
from service.embedded.data_dir import DataDirLock
from service.installation_settings import load_settings
from tests.support.commands import command
from tests.support.processes import Process, serving, wait_until_gone
from tests.support.waiting import wait_until


def client_of(server: Process, data_dir: Path) -> httpx.Client:
    address = server.address()
    settings = load_settings(data_dir=data_dir, jwt_secret=None)
    token = development_token(settings, organization_id="sample", role=Role.USER, user="ann", ttl_seconds=600)
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60)


def test_serve_answers_ends_with_its_redis_and_starts_again_after_a_crash(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with serving("--sample", data_dir=data_dir) as first:
        with client_of(first, data_dir) as client:
            assert client.get("/healthz").json()["status"] == "ok"
            ready = client.get("/readyz")
            assert (ready.status_code, ready.json()["status"]) == (200, "ok")
            records = client.get("/v1/auto-enrichment/stats").json()["records"]
        assert records > 100
        assert f"Records             {records}" in first.text
        assert "ADMIN" in first.text
        redis_pid = first.child()
        first.kill()
        wait_until_gone(redis_pid)
    assert "Traceback" not in first.text
    with serving("--sample", data_dir=data_dir) as second:
        with client_of(second, data_dir) as client:
            assert client.get("/v1/auto-enrichment/stats").json()["records"] == records
        assert f"all {records} are here already" in second.text
        assert "Nothing to enrich" in second.text
        redis_pid = second.child()
        assert second.end_with(signal.SIGINT) == 0
        wait_until_gone(redis_pid)
    assert "Traceback" not in second.text


def test_files_of_the_data_directory_are_their_owners_alone_and_no_token_of_an_own_secret_is_shown(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "open"
    data_dir.mkdir(mode=0o755)
    (data_dir / "jwt-secret").write_text("3f1c" * 16)
    (data_dir / "notes.txt").write_text("not ours")
    (data_dir / "notes.txt").chmod(0o644)
    own_secret = {"AUTO_ENRICHMENT_JWT_SECRET": "of-the-operator-of-this-service"}
    with serving(data_dir=data_dir, settings=own_secret) as server:
        server.address()
        files = [path for path in data_dir.rglob("*") if path.is_file()]
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files}
        assert server.end_with(signal.SIGINT) == 0
    assert modes.pop("notes.txt") == 0o644
    assert {"auto-enrichment.db", "auto-enrichment.db-wal", "address", "jwt-secret", "redis.log"} <= modes.keys()
    assert set(modes.values()) == {0o600}
    assert "auto-enrichment token" in server.text
    assert "eyJ" not in server.text


def test_a_revoked_token_is_refused_by_the_service_that_runs(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with serving(data_dir=data_dir) as server, client_of(server, data_dir) as client:
        assert client.get("/v1/auto-enrichment/stats").status_code == 200
        revoked = command("revoke", "--org", "sample", "--user", "ann", data_dir=data_dir)
        assert revoked.returncode == 0, revoked.stderr
        wait_until(lambda: client.get("/v1/auto-enrichment/stats").status_code == 401, "the token is still good")
        assert command("revoke", "--org", "sample", data_dir=data_dir).returncode == 2


def test_an_import_finds_the_running_service_by_itself(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    file = tmp_path / "accounts.csv"
    file.write_text("id,name,domain\nA1,Acme,acme.example\n")
    with serving(data_dir=data_dir) as server:
        with client_of(server, data_dir) as client:
            imported = command("import", str(file), "--entity-type", "account", data_dir=data_dir)
            assert (imported.returncode, "1 new" in imported.stdout) == (0, True), imported.stderr
            assert f"the service at {server.address()}" in imported.stderr
            assert client.get("/v1/auto-enrichment/stats").json()["records"] == 1
            assert "A1" in command("export", data_dir=data_dir).stdout
        assert server.end_with(signal.SIGINT) == 0
    assert not (data_dir / "address").exists()


def test_a_second_service_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with DataDirLock(tmp_path / "data"):
        refused = command("serve", "--embedded", "--port", "0", data_dir=tmp_path / "data")
    assert refused.returncode == 1
    assert "another auto-enrichment uses the data directory" in refused.stderr


@pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("worker",)], ids=lambda arguments: arguments[0])
def test_what_should_not_stay_so_is_said_at_the_start(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """The database has no tables, which ends the command after that."""
    stores = {
        "AUTO_ENRICHMENT_DATABASE_URL": f"sqlite://{tmp_path / 'empty.db'}",
        "AUTO_ENRICHMENT_REDIS_URL": "redis://127.0.0.1:1",
    }
    ended = command(*arguments, data_dir=tmp_path / "data", FORWARDED_ALLOW_IPS="*", **stores)
    assert (ended.returncode, "the database lacks" in ended.stderr) == (1, True), ended.stderr
    assert ended.stderr.count("FORWARDED_ALLOW_IPS does nothing any more") == 1


def test_a_busy_port_is_named_and_nothing_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = command("serve", "--embedded", "--port", str(port), data_dir=tmp_path / "data")
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert f"cannot listen on 127.0.0.1:{port}" in line
    assert not (tmp_path / "data").exists()
