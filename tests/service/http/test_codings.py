"""The codings of bodies: which one a client likes best, and that nothing unpacks beyond its bound."""

import gzip
import zlib

import pytest

from service.http.codings import (
    GZIP,
    ZSTD,
    Spoiled,
    TooLarge,
    accepted_coding,
    known_coding,
    pack,
    packer,
    unpack,
)

BODY = b"a text that repeats itself, " * 400


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("", None),
        ("gzip, deflate, br, zstd", ZSTD),
        ("gzip, deflate", GZIP),
        ("x-gzip", GZIP),
        ("GZIP;Q=0.5", GZIP),
        ("zstd;q=0.5, gzip;q=0.8", GZIP),
        ("zstd;q=0, gzip;q=0", None),
        ("*", ZSTD),
        ("*;q=0.5, zstd;q=0", GZIP),
        ("identity, gzip;q=0.5", None),
        ("identity;q=0.3, gzip;q=0.5", GZIP),
        ("br", None),
    ],
)
def test_the_coding_that_is_liked_best(header: str, coding: str | None) -> None:
    assert accepted_coding(header) == coding


@pytest.mark.parametrize(("name", "coding"), [(" Gzip ", GZIP), ("zstd", ZSTD), ("x-gzip", GZIP), ("br", None)])
def test_a_coding_is_known_by_its_names(name: str, coding: str | None) -> None:
    assert known_coding(name) == coding


@pytest.mark.parametrize("coding", [GZIP, ZSTD])
def test_what_is_packed_is_unpacked(coding: str) -> None:
    assert unpack(coding, pack(coding, BODY), len(BODY)) == BODY
    packing = packer(coding)
    pieces = [packing.compress(BODY), packing.compress(BODY), packing.flush()]
    assert unpack(coding, b"".join(pieces) + pack(coding, b"end"), 100_000) == BODY * 2 + b"end"


@pytest.mark.parametrize("coding", [GZIP, ZSTD])
def test_a_body_is_not_unpacked_beyond_its_bound(coding: str) -> None:
    packed = pack(coding, bytes(200_000_000))
    with pytest.raises(TooLarge):
        unpack(coding, packed, 1_000_000)
    with pytest.raises(TooLarge):
        unpack(coding, pack(coding, BODY) * 2, len(BODY) + 1)


@pytest.mark.parametrize("coding", [GZIP, ZSTD])
def test_a_spoiled_body_is_refused(coding: str) -> None:
    packed = pack(coding, BODY)
    for spoiled in (packed[:-3], b"plain text", packed + b"more", pack(coding, b"") * 1_000):
        with pytest.raises(Spoiled):
            unpack(coding, spoiled, 1_000_000)


def test_gzip_is_that_of_others() -> None:
    assert gzip.decompress(pack(GZIP, BODY)) == BODY
    assert zlib.decompress(pack(GZIP, BODY), 31) == BODY
