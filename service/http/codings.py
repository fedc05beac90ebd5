"""The codings of bodies, gzip and zstd: what a request accepts, and packing and unpacking within bounds."""

import sys
import zlib
from functools import lru_cache
from typing import Protocol

from service.http.wishes import wishes

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GZIP, ZSTD = "gzip", "zstd"
CODINGS = (ZSTD, GZIP)  # of two that are liked alike the first
_NAMES = {"x-gzip": GZIP}
_LEVEL = 1  # a fifth larger than at the usual levels, for a third of the time
_GZIP_BITS = 16 + zlib.MAX_WBITS
_MOST_MEMBERS = 100  # that a body may consist of; each costs a copy of what comes after it
_MOST_WINDOW_BITS = 23  # 8 MB, which RFC 8878 has every decoder take


class Packer(Protocol):
    """Packs a body piece by piece."""

    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class Spoiled(ValueError):
    """A body is not what its coding says, or ends within it."""


class TooLarge(ValueError):
    """A body is larger than allowed, once unpacked."""


@lru_cache(maxsize=200)
def accepted_coding(header: str) -> str | None:
    """The coding that an `Accept-Encoding` likes best of CODINGS; None: a plain answer."""
    liked = {_NAMES.get(name, name): quality for name, quality in wishes(header)}
    for_others = liked.get("*", 0.0)
    best = max(CODINGS, key=lambda name: liked.get(name, for_others))
    quality = liked.get(best, for_others)
    return best if quality > 0 and quality >= liked.get("identity", 0.0) else None


def known_coding(name: str) -> str | None:
    """The coding of CODINGS that a `Content-Encoding` names, if any."""
    name = name.strip().lower()
    name = _NAMES.get(name, name)
    return name if name in CODINGS else None


def packer(coding: str) -> Packer:
    """What packs one body in a coding of CODINGS."""
    return zstd.ZstdCompressor(_LEVEL) if coding == ZSTD else zlib.compressobj(_LEVEL, wbits=_GZIP_BITS)


def pack(coding: str, body: bytes) -> bytes:
    """A whole body in a coding of CODINGS."""
    packing = packer(coding)
    return packing.compress(body) + packing.flush()


def unpack(coding: str, body: bytes, most: int) -> bytes:
    """The plain body. Raises Spoiled, and TooLarge before more than `most` bytes have been unpacked."""
    found = bytearray()
    for _ in range(_MOST_MEMBERS):
        if not body:
            return bytes(found)
        member, body = _unpack_member(coding, body, most - len(found))
        found += member
    raise Spoiled(f"{coding} in more than {_MOST_MEMBERS} members")


def _unpack_member(coding: str, body: bytes, most: int) -> tuple[bytes, bytes]:
    """The first member, plain, and what comes after it."""
    try:
        if coding == ZSTD:
            options = {int(zstd.DecompressionParameter.window_log_max): _MOST_WINDOW_BITS}
            frame = zstd.ZstdDecompressor(options=options)
            found, ended, rest = frame.decompress(body, most + 1), frame.eof, frame.unused_data
        else:
            member = zlib.decompressobj(_GZIP_BITS)
            found = member.decompress(body, most + 1)
            ended, rest = member.eof, member.unused_data
    except (zlib.error, zstd.ZstdError) as error:
        raise Spoiled(f"not {coding}") from error
    if len(found) > most:
        raise TooLarge
    if not ended:
        raise Spoiled(f"{coding} that ends too early")
    return found, rest
