"""Requests at a server, many at once, by `wrk` where it is installed and else by a small loader of our own."""

import asyncio
import json
import math
import re
import shutil
import time
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


class LoadFailed(RuntimeError):
    """The server did not answer all requests with 200."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent again and again. With a body it is a POST of JSON."""

    url: str
    headers: Mapping[str, str]
    body: bytes = b""

    def head(self) -> bytes:
        """The request as it goes over the wire, but for its body."""
        parts = urlsplit(self.url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        fields = {"Host": parts.netloc, **self.headers}
        if self.body:
            fields |= {"Content-Type": "application/json", "Content-Length": str(len(self.body))}
        lines = [f"{'POST' if self.body else 'GET'} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items())]
        return "\r\n".join([*lines, "", ""]).encode()


@dataclass(frozen=True, slots=True)
class Load:
    """What a server answered."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float


@cache
def loader() -> str:
    """The name of what sends the requests."""
    return "wrk" if shutil.which("wrk") else "a loader in Python (wrk is not installed)"


async def send(request: Request, folder: Path, *, at_once: int, seconds: float) -> Load:
    """Keep this many requests under way for so long. Raises LoadFailed."""
    if loader() == "wrk":
        return await _by_wrk(request, folder, at_once=at_once, seconds=seconds)
    return await _by_python(request, at_once=at_once, seconds=seconds)


async def once(request: Request) -> bytes:
    """The body of one answer. Raises LoadFailed."""
    parts = urlsplit(request.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        return await _exchange(reader, writer, request.head() + request.body)
    finally:
        writer.close()


async def one_by_one(request: Request, times: int, *, seconds: float = math.inf) -> Load:
    """One request after the other over one connection, by this process; no further one begins after so many seconds.

    Raises LoadFailed.
    """
    parts = urlsplit(request.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    sent, took = request.head() + request.body, list[float]()
    try:
        until = time.perf_counter() + seconds
        for number in range(times):
            started = time.perf_counter()
            if number and started > until:
                break
            await _exchange(reader, writer, sent)
            took.append(time.perf_counter() - started)
    finally:
        writer.close()
    return _load(took, sum(took))


def _load(took: list[float], seconds: float) -> Load:
    percentiles = quantiles(took, n=100, method="inclusive") if len(took) > 1 else [took[0]] * 99
    return Load(len(took), seconds, 1000 * percentiles[49], 1000 * percentiles[98])


async def _by_wrk(request: Request, folder: Path, *, at_once: int, seconds: float) -> Load:
    script = folder / "request.lua"
    headers = {**request.headers, **({"Content-Type": "application/json"} if request.body else {})}
    lines = [f'wrk.method = "{"POST" if request.body else "GET"}"', f"wrk.body = {_lua(request.body.decode())}"]
    lines += [f"wrk.headers[{_lua(name)}] = {_lua(value)}" for name, value in headers.items()]
    await asyncio.to_thread(script.write_text, "\n".join(lines))
    process = await create_subprocess_exec(
        *("wrk", "-t1", f"-c{at_once}", f"-d{seconds:.0f}s", "--timeout", "30s", "--latency", "-s", str(script)),
        request.url,
        stdout=PIPE,
        stderr=PIPE,
    )
    output, errors = (part.decode() for part in await process.communicate())
    if process.returncode or "Non-2xx" in output:
        raise LoadFailed((errors or output).strip()[-300:])
    total = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m)", output)
    if total is None or int(total[1]) == 0:
        raise LoadFailed("no request was answered")
    seconds_taken = float(total[2]) * _MILLISECONDS[total[3]] / 1000
    return Load(int(total[1]), seconds_taken, _percentile(output, 50), _percentile(output, 99))


def _percentile(output: str, percent: int) -> float:
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)\s*$", output, re.MULTILINE)
    if found is None:
        raise LoadFailed("wrk said nothing about latencies")
    return float(found[1]) * _MILLISECONDS[found[2]]


def _lua(text: str) -> str:
    return json.dumps(text)  # JSON's escapes of printable text are Lua's as well


async def _by_python(request: Request, *, at_once: int, seconds: float) -> Load:
    parts = urlsplit(request.url)
    sent, took = request.head() + request.body, list[float]()
    started = time.perf_counter()

    async def client() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            while (before := time.perf_counter()) - started < seconds:
                await _exchange(reader, writer, sent)
                took.append(time.perf_counter() - before)
        finally:
            writer.close()

    await asyncio.gather(*(client() for _ in range(at_once)))
    return _load(took, time.perf_counter() - started)


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> bytes:
    writer.write(sent)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = re.search(r"\r\ncontent-length: (\d+)", head)
    content = await reader.readexactly(int(length[1])) if length else await _chunks(reader)
    if head.split(" ", 2)[1] != "200":
        raise LoadFailed(f"{head.splitlines()[0]}: {content[:200].decode(errors='replace')}")
    return content


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    found = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        found += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return found
