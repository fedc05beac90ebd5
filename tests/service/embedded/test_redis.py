"""The embedded stores: one process at a time, a real Redis, and nothing left behind."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import redis.asyncio

from resolvers.context import Role
from service.auth.tokens import development_token
from service.embedded.data_dir import DataDirBusy, DataDirLock
from service.embedded.redis import (
    LONGEST_SOCKET_PATH,
    EmbeddedRedis,
    NoRedisServer,
    answers,
    recorded_socket,
    server_programs,
    socket_url,
)
from service.redis_pool import redis_at
from service.settings import load_settings
from tests.support.processes import is_gone, is_running, run_command
from tests.support.waiting import PATIENCE_SECONDS, until, wait_until


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


async def test_the_embedded_redis_takes_jobs(embedded: EmbeddedRedis) -> None:
    client = redis_at(embedded.url, tries=0)
    assert await client.enqueue_job("work", 1, _job_id="one")
    assert [list(job.args) for job in await client.queued_jobs()] == [[1]]
    policy = await client.config_get("maxmemory-policy")
    await client.aclose(close_connection_pool=True)
    assert policy == {"maxmemory-policy": "noeviction"}


async def test_keys_outlive_a_restart(tmp_path: Path) -> None:
    for expected in (None, b"1"):
        server = EmbeddedRedis(tmp_path)
        await server.start()
        async with redis.asyncio.Redis.from_url(server.url) as client:
            assert await client.get("kept") == expected
            await client.set("kept", 1)
        await server.stop()


async def test_stopping_leaves_neither_process_nor_socket(embedded: EmbeddedRedis, tmp_path: Path) -> None:
    pid = embedded.pid
    assert pid is not None
    assert recorded_socket(tmp_path) == embedded.socket
    await embedded.stop()
    assert not is_running(pid)
    assert not embedded.socket.exists()
    assert recorded_socket(tmp_path) is None


async def test_a_server_that_dies_is_started_again(embedded: EmbeddedRedis) -> None:
    first = embedded.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)

    async def another_answers() -> bool:
        return embedded.pid != first and await answers(embedded.socket)

    await until(another_answers)


async def test_a_deep_data_directory_gets_a_socket_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * LONGEST_SOCKET_PATH)
    server = EmbeddedRedis(deep)
    try:
        await server.start()
        assert deep not in server.socket.parents
        assert recorded_socket(deep) == server.socket
        assert await answers(server.socket)
    finally:
        await server.stop()
    assert not server.socket.parent.exists()


async def test_data_that_cannot_be_read_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    for name in ("appendonly.aof", "appendonlydir"):  # as servers up to 6 and from 7 on name it
        (tmp_path / "redis" / name).write_text("garbage\n" * 100)
    server = EmbeddedRedis(tmp_path)
    try:
        await server.start()
        assert await answers(server.socket)
    finally:
        await server.stop()
    aside = next((tmp_path / "redis").glob("unreadable-*"))
    assert (aside / "appendonly.aof").read_text().startswith("garbage")


@pytest.mark.parametrize("content", ["#!/bin/sh\nexit 1\n", "not a program", None])
async def test_a_program_that_does_not_run_is_no_server(tmp_path: Path, content: str | None) -> None:
    program = tmp_path / "redis-server"
    if content is not None:
        program.write_text(content)
        program.chmod(0o755)
    server = EmbeddedRedis(tmp_path, program)
    with pytest.raises(NoRedisServer, match="redis-server"):
        await server.start()
    await server.stop()


async def test_the_next_program_is_tried_when_one_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr("service.embedded.redis.server_programs", lambda _: iter([broken, *server_programs(None)]))
    server = EmbeddedRedis(tmp_path)
    try:
        await server.start()
        assert await answers(server.socket)
    finally:
        await server.stop()


async def test_a_server_that_outlived_its_parent_is_ended(tmp_path: Path) -> None:
    data = tmp_path / "redis"
    data.mkdir()
    program = next(server_programs(None))
    orphan = await asyncio.create_subprocess_exec(
        program, "--port", "0", "--unixsocket", str(data / "redis.sock"), "--dir", str(data), "--save", "",
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    await until(lambda: answers(data / "redis.sock"))
    server = EmbeddedRedis(tmp_path)
    try:
        await server.start()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await orphan.wait()
        assert await answers(server.socket)
    finally:
        await server.stop()


async def test_the_stand_in_takes_jobs_and_notices() -> None:
    one, other = redis_at(None, tries=0), redis_at(None, tries=0)
    assert await one.enqueue_job("work", _job_id="stand-in")
    assert await other.enqueue_job("work", _job_id="stand-in") is None
    async with other.pubsub() as listening:
        await listening.subscribe("notices")
        await listening.get_message(timeout=PATIENCE_SECONDS)
        await one.publish("notices", b"look again")
        message = await listening.get_message(timeout=PATIENCE_SECONDS)
    assert message is not None
    assert message["data"] == b"look again"
    for client in (one, other):
        await client.aclose(close_connection_pool=True)


def test_a_data_directory_has_one_holder(tmp_path: Path) -> None:
    with DataDirLock(tmp_path / "data"):
        with pytest.raises(DataDirBusy, match=f"process {os.getpid()}"), DataDirLock(tmp_path / "data"):
            pass
        assert (tmp_path / "data").stat().st_mode & 0o077 == 0
    with DataDirLock(tmp_path / "data"):
        pass


def test_a_socket_url_survives_odd_characters(tmp_path: Path) -> None:
    assert socket_url(Path("/a b/%41?#.sock")) == "unix:///a%20b/%2541%3F%23.sock"


class Serving:
    """`auto-enrichment serve --embedded` as its own process, on a port of its own."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def said(self) -> str:
        return self._log.read_text("utf-8")

    def address(self) -> str:
        """Where it serves, once it says so."""
        wait_until(lambda: "Press Ctrl-C" in self.said or self.process.poll() is not None, lambda: self.said)
        found = re.search(r"http://127\.0\.0\.1:\d+", self.said)
        assert found is not None and self.process.poll() is None, self.said
        return found[0]

    def redis_pid(self) -> int:
        """Of the one child this process has."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text("ascii")
        (pid,) = listed.split()
        return int(pid)

    def end_with(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


@contextmanager
def serving(tmp_path: Path, *options: str) -> Iterator[Serving]:
    path = tmp_path / f"log-{time.time_ns()}"
    with path.open("wb") as log:
        process = subprocess.Popen(
            **run_command("serve", "--embedded", "--port", "0", *options, data_dir=tmp_path / "data"),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Serving(process, path)
        finally:
            process.kill()
            process.wait()


def headers(tmp_path: Path, organization: str) -> dict[str, str]:
    settings = load_settings(data_dir=tmp_path / "data", jwt_secret=None)
    token = development_token(settings, organization_id=organization, role=Role.USER, user="ann", ttl_seconds=60)
    return {"Authorization": f"Bearer {token}"}


def test_serve_starts_answers_stops_and_starts_again(tmp_path: Path) -> None:
    with serving(tmp_path, "--sample") as first:
        with httpx.Client(base_url=first.address(), headers=headers(tmp_path, "sample")) as client:
            assert client.get("/healthz").json()["status"] == "ok"
            ready = client.get("/readyz")
            assert (ready.status_code, ready.json()["status"]) == (200, "ok")
            records = client.get("/v1/auto-enrichment/stats").json()["records"]
        assert records > 100
        assert f"Records             {records}" in first.said
        assert "ADMIN" in first.said
        redis_pid = first.redis_pid()
        assert first.end_with(signal.SIGINT) == 0
        assert is_gone(redis_pid)
    assert "Traceback" not in first.said
    with serving(tmp_path, "--sample") as second:
        with httpx.Client(base_url=second.address(), headers=headers(tmp_path, "sample")) as client:
            assert client.get("/v1/auto-enrichment/stats").json()["records"] == records
        assert f"all {records} are here already" in second.said
        assert "Nothing to enrich" in second.said
        assert second.end_with(signal.SIGTERM) == 0


def test_a_killed_service_leaves_no_redis_and_starts_again(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        first.address()
        redis_pid = first.redis_pid()
        first.end_with(signal.SIGKILL)
        assert is_gone(redis_pid)
    with serving(tmp_path) as second:
        assert httpx.get(f"{second.address()}/readyz").status_code == 200
        assert second.end_with(signal.SIGINT) == 0


def test_a_second_service_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        first.address()
        with serving(tmp_path) as second:
            assert second.process.wait(PATIENCE_SECONDS) == 1
        assert "another auto-enrichment uses the data directory" in second.said
        assert "Traceback" not in second.said
        assert first.end_with(signal.SIGINT) == 0


def test_a_busy_port_is_named_and_nothing_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serving(tmp_path, "--port", str(port)) as service:
            assert service.process.wait(PATIENCE_SECONDS) == 1
            (line,) = service.said.splitlines()
    assert f"cannot listen on 127.0.0.1:{port}" in line
    assert not (tmp_path / "data").exists()
