"""Where a secret might be found: every text of a database, of Redis and of a folder, and the forms a secret takes."""

import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

import asyncpg
import redis.asyncio


def forms(secret: str) -> set[bytes]:
    """The secret as it is, and as addresses, headers, JSON and other texts would write it."""
    raw = secret.encode()
    texts = {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
    }
    found = {text.encode() for text in texts} | {raw.hex().encode(), raw[::-1]}
    for before in range(3):
        # Wherever it stands in what was encoded, but for the letters at its ends that depend on its neighbours.
        found.add(base64.b64encode(b"\0" * before + raw)[4 if before else 0 : -4])
    return found


def found_in(text: bytes, secrets: dict[str, str]) -> set[str]:
    """The names of the secrets that the text holds in any form."""
    return {name for name, secret in secrets.items() if any(form in text for form in forms(secret))}


def files_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the folder, by its path."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield str(path.relative_to(folder)), path.read_bytes()


async def rows_of(url: str) -> bytes:
    """Everything that the database holds, as text: every row of every table."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        with closing(sqlite3.connect(url.removeprefix("sqlite://").partition("?")[0])) as opened:
            return "\n".join(opened.iterdump()).encode()
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        found = [await connection.fetch(f'SELECT t::text FROM "{table["tablename"]}" t') for table in tables]
        return "\n".join(row["t"] for rows in found for row in rows).encode()
    finally:
        await connection.close()


async def keys_and_values(url: str) -> bytes:
    """Everything that a Redis holds."""
    async with redis.asyncio.Redis.from_url(url) as client:
        return b"\n".join([key + b" " + repr(await _value(client, key)).encode() async for key in client.scan_iter()])


async def _value(client: "redis.asyncio.Redis", key: bytes) -> Any:
    match await client.type(key):
        case b"string":
            return await client.get(key)
        case b"hash":
            return await client.hgetall(key)
        case b"list":
            return await client.lrange(key, 0, -1)
        case b"set":
            return await client.smembers(key)
        case b"zset":
            return await client.zrange(key, 0, -1, withscores=True)
        case b"stream":
            return await client.xrange(key)
    return None
