"""A provider's server on this machine: it answers over real HTTP by a script, keeps its calls, or is hostile.

Addresses of hostile modes are `/hostile/<mode>`; everything else answers from the script of its path.
"""

import asyncio
import gzip
import json
import socket
import threading
import time
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

_SAMPLES = Path(__file__).parent / "samples"
_METHODS = ["GET", "POST", "PUT", "HEAD"]
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Call:
    """One request as it arrived. Header names are lower-case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class ScriptedReply:
    """One reply of a script. One that `hangs` has a head, and a body that does not come."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] | None = None
    hangs: bool = False


def json_reply(body: Any, status: int = 200, **headers: str) -> ScriptedReply:
    """A reply with a JSON body; header names are written with _ for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ScriptedReply(status, json.dumps(body).encode(), {"content-type": "application/json", **named})


def sampled(provider: str, case: str) -> ScriptedReply:
    """A documented answer, as it is kept in the samples."""
    response = json.loads((_SAMPLES / provider / f"{case}.json").read_text("utf-8"))["response"]
    body = b"" if response["body"] is None else json.dumps(response["body"]).encode()
    return ScriptedReply(response["status"], body, response["headers"])


class StandInServer:
    """The server while its block runs. `calls` are the requests that came.

    `elsewhere` is its address under another host name; `otherwise` answers paths that have no script.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.url = ""
        self.held: threading.Event | None = None  # no scripted reply before it is set
        self.elsewhere = ""
        self.otherwise: Callable[[Request, bytes], Awaitable[Response]] | None = None
        self._scripts: dict[str, list[ScriptedReply]] = {}
        self._given: dict[str, int] = defaultdict(int)
        self._parameters: dict[str, str] = {}  # by path: which parameter of the query decides the script

    def reset(self) -> None:
        """Forget what was asked and what is to be answered."""
        self.calls.clear()
        self._scripts.clear()
        self._given.clear()
        self._parameters.clear()
        self.held = self.otherwise = None

    def script(self, path: str, *replies: ScriptedReply) -> None:
        """Answer calls to the path in this order; the last reply stays."""
        self._scripts[path] = list(replies)
        self._given[path] = 0

    def script_for(self, path: str, name: str, value: str, *replies: ScriptedReply) -> None:
        """Answer calls to the path whose query names this value in this order; the last reply stays."""
        self._parameters[path] = name
        self.script(f"{path}?{value}", *replies)

    def calls_to(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    async def answer(self, request: Request) -> Response:
        path = request.url.path
        headers, body = dict(request.headers), await request.body()
        self.calls.append(Call(request.method, path, dict(request.query_params), headers, body))
        if path in self._parameters:
            path = f"{path}?{request.query_params.get(self._parameters[path])}"
        replies = self._scripts.get(path)
        if not replies and self.otherwise is not None:
            return await self.otherwise(request, body)
        if not replies:
            return Response(b'{"error": "no such page"}', 404, media_type="application/json")
        if self.held is not None:
            await asyncio.to_thread(self.held.wait, 30)
        reply = replies[min(self._given[path], len(replies) - 1)]
        self._given[path] += 1
        if reply.hangs:
            return StreamingResponse(self._silence(), reply.status, dict(reply.headers or {}))
        return Response(reply.body, reply.status, dict(reply.headers or {}))

    async def be_hostile(self, request: Request) -> Response:
        self.calls.append(Call(request.method, request.url.path, {}, dict(request.headers), await request.body()))
        return self.misbehave(request.path_params["mode"])

    def misbehave(self, mode: str) -> Response:
        """What a hostile server answers."""
        match mode:
            case "hang":
                return StreamingResponse(self._silence())
            case "drip":
                return StreamingResponse(self._drops(), media_type="application/json")
            case "endless":
                return StreamingResponse(self._endless(), media_type="application/json")
            case "bomb":
                return StreamingResponse(self._bomb(), headers={"content-encoding": "gzip"})
            case "empty_bomb":
                return StreamingResponse(self._empty_bomb(), headers={"content-encoding": "gzip"})
            case "broken_gzip":
                return Response(gzip.compress(b"{}" * 500)[:-12], headers={"content-encoding": "gzip"})
            case "brotli":
                return Response(b"\x0b\x02\x80{}\x03", headers={"content-encoding": "br"})
        return _plain_nuisance(mode)

    async def _silence(self) -> AsyncIterator[bytes]:
        await asyncio.sleep(30)
        yield b"{}"

    async def _drops(self) -> AsyncIterator[bytes]:
        for _ in range(300):
            yield b" "
            await asyncio.sleep(0.1)

    async def _endless(self) -> AsyncIterator[bytes]:
        for _ in range(4096):
            yield b"x" * MEBIBYTE
            await asyncio.sleep(0)

    async def _bomb(self) -> AsyncIterator[bytes]:
        """Gigabytes of zeros in a few megabytes."""
        start, block = _packed_zeros()
        yield start
        for _ in range(64):
            yield block
            await asyncio.sleep(0)

    async def _empty_bomb(self) -> AsyncIterator[bytes]:
        """A gzip stream of empty blocks: it stands for nothing and never ends."""
        packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
        yield packer.compress(b"{") + packer.flush(zlib.Z_SYNC_FLUSH)
        for _ in range(4096):
            yield b"\x00\x00\x00\xff\xff" * 20_000
            await asyncio.sleep(0)


@cache
def _packed_zeros() -> tuple[bytes, bytes]:
    """The beginning of a gzip stream, and 64 MiB of zeros as they go on in it."""
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    start = packer.compress(b"{") + packer.flush(zlib.Z_FULL_FLUSH)
    return start, packer.compress(b"\0" * 64 * MEBIBYTE) + packer.flush(zlib.Z_FULL_FLUSH)


def _plain_nuisance(mode: str) -> Response:
    match mode:
        case "garbage":
            return Response(bytes(range(256)), media_type="application/json")
        case "html":
            return Response(b"<html><body>Please sign in</body></html>", media_type="text/html")
        case "wrong_types":
            return Response(b'[[1], "x", {"data": 7}]', media_type="application/json")
        case "redirect_away":
            return RedirectResponse("http://localhost:9/elsewhere", 302)
        case "redirect_round":
            return RedirectResponse("/hostile/redirect_round", 302)
        case "redirect_here":
            return RedirectResponse("/moved", 302)
        case "failing":
            return Response(b"oops", 500)
        case "cookie":
            return Response(b"{}", headers={"set-cookie": "account=of-another; Path=/"})
    return Response(b"", 404)


@contextmanager
def standin_server() -> Iterator[StandInServer]:
    """A stand-in on a free port of this machine, in a thread of its own."""
    server = StandInServer()
    _packed_zeros()  # now, because a caller would take the time for silence
    app = Starlette(
        routes=[
            Route("/hostile/{mode}", server.be_hostile, methods=_METHODS),
            Route("/{rest:path}", server.answer, methods=_METHODS),
        ]
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server.url, server.elsewhere = f"http://127.0.0.1:{port}", f"http://localhost:{port}"
        config = uvicorn.Config(
            app, log_config=None, log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        runner = uvicorn.Server(config)
        thread = threading.Thread(target=runner.run, args=([listener],), daemon=True)
        thread.start()
        try:
            while not runner.started:
                time.sleep(0.01)
            yield server
        finally:
            runner.should_exit = True
            runner.force_exit = True
            thread.join(10)
