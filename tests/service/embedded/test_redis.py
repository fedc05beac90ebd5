"""The embedded stores: one process at a time, a real Redis, and nothing left behind."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis.asyncio

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
from tests.support.processes import is_running
from tests.support.waiting import PATIENCE_SECONDS, until


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
    monkeypatch.setattr("service.embedded.redis.server_programs", lambda _: [broken, *server_programs(None)])
    server = EmbeddedRedis(tmp_path)
    try:
        await server.start()
        assert await answers(server.socket)
    finally:
        await server.stop()


def test_the_newest_program_is_tried_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = []
    for name, says in (("old", "Redis server v=6.2.14 sha=0"), ("broken", ""), ("new", "Valkey server v=8.10.1 sha=0")):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho '{says}'\n")
        program.chmod(0o755)
        programs.append(program)
    monkeypatch.setattr("service.embedded.redis._installed", lambda: iter(programs))
    assert [program.name for program in server_programs(None)] == ["new", "old", "broken"]
    assert server_programs(programs[1]) == [programs[1]]


async def test_a_server_that_outlived_its_parent_is_ended(tmp_path: Path) -> None:
    data = tmp_path / "redis"
    data.mkdir()
    program = server_programs(None)[0]
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
