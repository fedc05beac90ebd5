"""The public keys that tokens are signed with: from a JWKS file or URL, cached and rotated."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import orjson
import structlog

MAX_AGE_SECONDS = 300.0  # keys are fetched again after this long
COOLDOWN_SECONDS = 10.0  # tokens with unknown key ids cannot make us fetch more often than this
FETCH_SECONDS = 3.0  # for a whole fetch, however slowly its bytes come
HURRY_SECONDS = 0.2  # which those who have a known key give a fetch, so that a key taken back counts at once
MAX_BYTES = 1024 * 1024
ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA"})

_log = structlog.get_logger(__name__)


class KeysUnavailable(Exception):
    """The keys could not be read. The message names no address and no driver's text."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One public key; `id` is None where the key set names none."""

    id: str | None
    key: jwt.PyJWK

    @property
    def algorithm(self) -> str:
        """The only algorithm that the key is taken for."""
        return self.key.algorithm_name


def usable_keys(text: bytes) -> list[SigningKey]:
    """The signing keys of a JWKS, in its order. Raises KeysUnavailable if it is none.

    Symmetric keys, encryption keys and algorithms other than ours are ignored: a set of public keys
    is public, so nothing in it may be used as a shared secret.
    """
    try:
        listed = orjson.loads(text)["keys"]
        entries = [entry for entry in listed if isinstance(entry, Mapping)]
    except (orjson.JSONDecodeError, TypeError, KeyError):
        raise KeysUnavailable("not a JSON Web Key Set") from None
    usable = [(entry.get("kid"), key) for entry in entries if (key := _usable(entry)) is not None]
    return [SigningKey(None if key_id in (None, "") else str(key_id), key) for key_id, key in usable]


def _usable(entry: Mapping[str, Any]) -> jwt.PyJWK | None:
    if entry.get("kty") == "oct" or entry.get("use", "sig") != "sig":
        return None
    try:
        key = jwt.PyJWK(dict(entry))
    except jwt.PyJWTError:
        return None
    if key.algorithm_name not in ALGORITHMS or key.Algorithm.check_key_length(key.key):
        return None
    return key


class KeySet:
    """Keys read through `load`, again when they grow old or none of them has made a token's signature.

    Old keys are read again beside the requests: who has a known key waits HURRY_SECONDS from the beginning of that
    reading, and no longer. While keys cannot be read, the ones known stay good.
    `now` is a clock in seconds that only goes forward.
    """

    def __init__(self, load: Callable[[], Awaitable[bytes]], now: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._now = now
        self._keys: list[SigningKey] = []
        self._read_at = float("-inf")
        self._tried_at = float("-inf")
        self._reading = asyncio.Lock()
        self._beside: asyncio.Task[None] | None = None
        self._hurry_until = 0.0  # by the loop's clock

    async def find(self, key_id: str | None, algorithm: str, *, failed: bool = False) -> list[SigningKey]:
        """The keys that may have made a signature by this algorithm: those of that id, without an id all of them.

        `failed`: the keys known so far did not make it, and there may be others by now. Raises KeysUnavailable.
        """
        keys = self._known(key_id, algorithm)
        age = self._now() - self._read_at
        if keys and not failed:
            if age >= MAX_AGE_SECONDS and await self._is_read_in_a_hurry():
                keys = self._known(key_id, algorithm)
            return keys
        if age < COOLDOWN_SECONDS:
            return keys
        await self._read()
        if not self._keys:
            raise KeysUnavailable("the signing keys cannot be read")
        return self._known(key_id, algorithm)

    async def _is_read_in_a_hurry(self) -> bool:
        """Whether a reading ended, one for all who ask, within the time that they wait for it."""
        loop = asyncio.get_running_loop()
        if self._beside is None or self._beside.done():
            if self._now() - self._tried_at < COOLDOWN_SECONDS:
                return False
            self._beside = asyncio.create_task(self._read(), name="read signing keys")
            self._hurry_until = loop.time() + HURRY_SECONDS
        ended, _ = await asyncio.wait({self._beside}, timeout=max(self._hurry_until - loop.time(), 0.0))
        return bool(ended)

    def _known(self, key_id: str | None, algorithm: str) -> list[SigningKey]:
        return [known for known in self._keys if known.algorithm == algorithm and (not key_id or known.id == key_id)]

    async def _read(self) -> None:
        asked_at = self._now()
        async with self._reading:
            if self._tried_at >= asked_at or asked_at - self._tried_at < COOLDOWN_SECONDS:
                return  # someone else has just read them, or tried to
            self._tried_at = self._now()
            try:
                async with asyncio.timeout(FETCH_SECONDS):
                    text = await self._load()
                keys = usable_keys(text)
            except (KeysUnavailable, OSError) as error:
                cause = error.__cause__ or error
                _log.warning("signing keys cannot be read", error=type(cause).__name__)
                return
            if not keys:
                _log.warning("the key set holds no usable key", accepted=sorted(ALGORITHMS))
            self._keys, self._read_at = keys or self._keys, self._now()


def from_file(path: Path) -> KeySet:
    async def load() -> bytes:
        return await asyncio.to_thread(path.read_bytes)

    return KeySet(load)


def from_url(url: str) -> KeySet:
    import httpx  # noqa: PLC0415 -- only an installation whose keys are at an address pays for its import

    async def load() -> bytes:
        body = b""
        try:
            async with httpx.AsyncClient(timeout=FETCH_SECONDS) as client, client.stream("GET", url) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise KeysUnavailable(f"status {answer.status_code}")
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise KeysUnavailable("too large")
        except httpx.HTTPError as error:
            raise KeysUnavailable("no answer") from error
        return body

    return KeySet(load)
