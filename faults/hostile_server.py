"""Providers that mean harm: `python -m faults.hostile_server PORT`. The key of a call says how it is answered.

A process of its own, so that what it costs to send is not taken from who is measured beside it.
"""

import asyncio
import gzip
import re
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress

_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_PIECES = 20_000  # of an answer without an end; nobody reads as many
_LONGEST_BODY = 2 * 1024 * 1024
_DRIP_SECONDS = 0.01
_KEY = re.compile(rb"x-api-key: *the-key-of-([a-z0-9_]+)-", re.IGNORECASE)

Answer = Callable[[], AsyncIterator[bytes]]


def mode_key(mode: str, number: int) -> str:
    """The key of one of the accounts of a mode."""
    return f"the-key-of-{mode}-{number}"


def _again(head: bytes, piece: bytes, *, together: int = 1) -> Answer:
    """A head, and a piece again and again, so many at a time."""

    async def answer() -> AsyncIterator[bytes]:
        yield head
        for _ in range(_PIECES):
            yield piece * together

    return answer


def _whole(body: bytes, more: bytes = b"") -> Answer:
    """An answer that is complete."""

    async def answer() -> AsyncIterator[bytes]:
        yield _OK + more + b"Content-Length: %d\r\n\r\n" % len(body) + body

    return answer


async def _drip() -> AsyncIterator[bytes]:
    yield _OK + b"Content-Length: 100000\r\n\r\n"
    for _ in range(_PIECES):
        yield b" "
        await asyncio.sleep(_DRIP_SECONDS)


async def _silence() -> AsyncIterator[bytes]:
    yield _OK
    await asyncio.sleep(60)


_BOMB = gzip.compress(bytes(256 * 1024 * 1024), 6)
MODES: Mapping[str, Answer] = {
    "one_byte_chunks": _again(_CHUNKED, b"1\r\n \r\n", together=10_000),
    "one_byte_packets": _again(_CHUNKED, b"1\r\n \r\n"),
    "chunk_extensions": _again(_CHUNKED, b"1;" + b"x" * 4000 + b"\r\n \r\n", together=16),
    "interim_responses": _again(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", together=2_000),
    "interim_heads": _again(b"", b"HTTP/1.1 103 Early Hints\r\n" + b"X: " + b"y" * 7000 + b"\r\n\r\n", together=8),
    "endless_headers": _again(_OK, b"X-Filler: " + b"z" * 6000 + b"\r\n", together=10),
    "many_headers": _again(_OK, b"a: b\r\n", together=10_000),
    "endless_line": _again(b"HTTP/1.1 200 ", b"O" * 60_000),
    "endless_trailers": _again(_CHUNKED + b"2\r\n{}\r\n0\r\n", b"a: b\r\n", together=10_000),
    "endless_body": _again(_OK + b"\r\n", b"x" * 60_000),
    "deep_json": _whole(b"[" * _LONGEST_BODY),
    "deep_objects": _whole(b'{"person":' * (_LONGEST_BODY // 10)),
    "wide_json": _whole(b'{"person": [' + b"0," * (_LONGEST_BODY // 2 - 10) + b"0]}"),
    "long_number": _whole(b'{"organization": {"founded_year": ' + b"9" * (_LONGEST_BODY - 100) + b"}}"),
    "many_keys": _whole(b"{" + b",".join(b'"%d":1' % number for number in range(180_000)) + b"}"),
    "gzip_bomb": _whole(_BOMB, b"Content-Encoding: gzip\r\n"),
    "blemished": _whole(b'\xef\xbb\xbf{"organization": {"founded_year": NaN, "estimated_num_employees": 1e400}}'),
    "drip": _drip,
    "hang": _silence,
}
"""By the name of the mode, what is sent."""


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if length := re.search(rb"content-length: *(\d+)", head, re.IGNORECASE):
                await reader.readexactly(int(length[1]))
            key = _KEY.search(head)
            if key is None or (answer := MODES.get(key[1].decode())) is None:
                writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
                continue
            async for piece in answer():
                writer.write(piece)
                await writer.drain()
    writer.close()


async def _main(port: int) -> None:
    async with await asyncio.start_server(_serve, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
