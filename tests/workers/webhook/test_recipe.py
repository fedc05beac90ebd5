"""The receiver of docs/recipes.md takes each event once, and nothing that is not signed."""

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from arq.connections import ArqRedis

from resolvers.webhook.api import replay
from tests.support.factories import Clock, StandIn, context, send, services
from tests.support.log import settled
from tests.support.recipes import recipe_text
from tests.support.waiting import until
from tests.support.webhook_receiver import endpoint_at, send_all, sending, with_webhooks

pytestmark = pytest.mark.usefixtures("db")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(folder: Path, secret: str, port: int) -> Iterator[None]:
    """The recipe, in a process and a folder of its own."""
    (folder / "receiver.py").write_text(recipe_text("receiver.py"), "utf-8")
    environment = {**os.environ, "WEBHOOK_SECRET": secret}
    process = subprocess.Popen([sys.executable, "receiver.py", str(port)], cwd=folder, env=environment)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def stored(folder: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "events.db")) as store:
        return store.execute("SELECT id, kind, record, cursor FROM event").fetchall()


async def test_the_receiver_of_the_recipe_keeps_each_event_once(redis: ArqRedis, tmp_path: Path) -> None:
    ctx, port = context(with_webhooks(services(redis, StandIn(), now=Clock()))), free_port()
    made = await endpoint_at(ctx, f"http://127.0.0.1:{port}/")
    with running(tmp_path, made.secret, port):
        await until(lambda: listens(port))
        await send(ctx, "account", "A1", domain="acme.com")
        await settled()
        async with sending(ctx.services) as sender:
            await send_all(sender)
            first = stored(tmp_path)
            assert [row[1:3] for row in first] == [("record.created", "A1"), ("job.created", "A1")]
            await replay(ctx, made.endpoint.id, "0")
            await send_all(sender)
        assert stored(tmp_path) == first
        async with httpx.AsyncClient() as stranger:
            unsigned = await stranger.post(f"http://127.0.0.1:{port}/", content=b"{}", headers={"webhook-id": "evt_1"})
        assert unsigned.status_code == 401
