"""Which public keys are taken for the signatures of tokens, and when they are loaded."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from resolvers.errors import Unauthenticated, Unavailable
from service.auth import jwks
from service.auth.tokens import Authenticator, build_authenticator
from service.installation_settings import load_settings
from tests.support.tokens import EC_KEY, ED_KEY, RSA_KEY, SECRET, Keys, jwk, key_set, signed


@pytest.mark.parametrize(("key", "algorithm"), [(RSA_KEY, "RS256"), (EC_KEY, "ES256"), (ED_KEY, "EdDSA")])
async def test_a_key_set_takes_the_algorithm_of_each_key(key: Any, algorithm: str) -> None:
    keys = Keys(jwk(key, "k1"), jwk(EC_KEY, "other"))
    await Authenticator(keys=keys.set).caller(signed(key, algorithm, "k1"))
    with pytest.raises(Unauthenticated):
        await Authenticator(keys=keys.set).caller(signed(key, algorithm, "other" if key is RSA_KEY else "none"))


async def test_another_algorithm_of_the_same_key_is_refused() -> None:
    keys = Authenticator(keys=Keys(jwk(RSA_KEY, "k1")).set)
    for algorithm in ("RS512", "PS256"):
        with pytest.raises(Unauthenticated):
            await keys.caller(signed(RSA_KEY, algorithm, "k1"))


async def test_keys_that_are_not_for_public_signatures_are_passed_over() -> None:
    shared = {"kty": "oct", "kid": "oct", "k": base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("=")}
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 (weak on purpose)
    usable = jwks.usable_keys(
        key_set(
            shared,
            jwk(weak, "weak"),
            jwk(RSA_KEY, "encrypts", use="enc"),
            jwk(RSA_KEY, "rs512", alg="RS512"),
            {"kty": "XXX", "kid": "odd"},
            {},
            jwk(RSA_KEY, "good", use="sig", alg="RS256"),
        )
    )
    assert [key.id for key in usable] == ["good"]


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"keys": 1}', b"<html>", b'{"keys": null}'])
def test_what_is_no_key_set_is_refused(text: bytes) -> None:
    with pytest.raises(jwks.KeysUnavailable):
        jwks.usable_keys(text)


OTHER_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize(
    ("keys", "kid"),
    [
        ([jwk(RSA_KEY, None)], None),
        ([jwk(RSA_KEY, None), jwk(EC_KEY, "e")], None),
        ([jwk(RSA_KEY, None), jwk(OTHER_RSA_KEY, None)], None),
        ([jwk(OTHER_RSA_KEY, None), jwk(RSA_KEY, None)], None),
        ([jwk(OTHER_RSA_KEY, "a"), jwk(RSA_KEY, "b")], None),
        ([jwk(OTHER_RSA_KEY, None), jwk(RSA_KEY, None)], ""),
        ([jwk(OTHER_RSA_KEY, ""), jwk(RSA_KEY, "")], ""),
    ],
)
async def test_a_token_without_a_key_id_is_good_by_any_key_that_fits_its_algorithm(
    keys: list[dict[str, Any]], kid: str | None
) -> None:
    await Authenticator(keys=Keys(*keys).set).caller(signed(RSA_KEY, "RS256", kid))


@pytest.mark.parametrize(
    ("keys", "kid"),
    [
        ([jwk(RSA_KEY, "a")], "zz"),
        ([jwk(RSA_KEY, None), jwk(OTHER_RSA_KEY, None)], "zz"),
        ([jwk(RSA_KEY, "a"), jwk(OTHER_RSA_KEY, "b")], "b"),
        ([jwk(OTHER_RSA_KEY, None), jwk(EC_KEY, None)], None),
        ([jwk(RSA_KEY, None, alg="RS512")], None),
    ],
)
async def test_a_key_id_that_names_no_key_and_a_signature_by_no_key_are_refused(
    keys: list[dict[str, Any]], kid: str | None
) -> None:
    with pytest.raises((Unauthenticated, Unavailable)):
        await Authenticator(keys=Keys(*keys).set).caller(signed(RSA_KEY, "RS256", kid))


async def test_keys_without_ids_can_be_rotated() -> None:
    keys = Keys(jwk(OTHER_RSA_KEY, None))
    authenticator = Authenticator(keys=keys.set)
    await authenticator.caller(signed(OTHER_RSA_KEY, "RS256", None))
    keys.keys = (jwk(RSA_KEY, None),)
    with pytest.raises(Unauthenticated):
        await authenticator.caller(signed(RSA_KEY, "RS256", None))
    assert keys.loads == 1
    keys.time += jwks.COOLDOWN_SECONDS + 1
    await authenticator.caller(signed(RSA_KEY, "RS256", None))
    assert keys.loads == 2


async def test_keys_are_loaded_once_and_again_when_old() -> None:
    keys = Keys(jwk(RSA_KEY, "k1"))
    authenticator = Authenticator(keys=keys.set)
    for _ in range(5):
        await authenticator.caller(signed(RSA_KEY, "RS256", "k1"))
    assert keys.loads == 1
    keys.time += jwks.MAX_AGE_SECONDS + 1
    for _ in range(5):
        await authenticator.caller(signed(RSA_KEY, "RS256", "k1"))
    assert keys.loads == 2


async def test_nobody_with_a_known_key_waits_for_a_key_server_that_hangs() -> None:
    keys = Keys(jwk(RSA_KEY, "k1"))
    authenticator = Authenticator(keys=keys.set)
    header = signed(RSA_KEY, "RS256", "k1", exp=time.time() + 3600)
    await authenticator.caller(header)
    keys.hangs = True
    keys.time += jwks.MAX_AGE_SECONDS + 1
    for _ in range(4):  # rounds, each after the pause between two readings
        async with asyncio.timeout(jwks.FETCH_SECONDS / 2):
            await asyncio.gather(*(authenticator.caller(header) for _ in range(50)))
        keys.time += jwks.COOLDOWN_SECONDS + 1
    assert keys.loads == 2, "one reading is under way, and the others leave it to that one"


async def test_a_new_key_is_found_and_made_up_ids_cause_no_storm_of_loads() -> None:
    keys = Keys(jwk(RSA_KEY, "k1"))
    authenticator = Authenticator(keys=keys.set)
    await authenticator.caller(signed(RSA_KEY, "RS256", "k1"))
    keys.keys = (jwk(EC_KEY, "k2"),)
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await authenticator.caller(signed(RSA_KEY, "RS256", f"made-up-{number}"))
    assert keys.loads == 1
    keys.time += jwks.COOLDOWN_SECONDS + 1
    await authenticator.caller(signed(EC_KEY, "ES256", "k2"))
    with pytest.raises(Unauthenticated):
        await authenticator.caller(signed(RSA_KEY, "RS256", "k1"))
    assert keys.loads == 2


async def test_many_first_callers_share_one_load() -> None:
    keys = Keys(jwk(RSA_KEY, "k1"))
    authenticator = Authenticator(keys=keys.set)
    header = signed(RSA_KEY, "RS256", "k1")
    await asyncio.gather(*(authenticator.caller(header) for _ in range(10)))
    assert keys.loads == 1


async def test_known_keys_stay_good_while_their_source_is_out_of_reach() -> None:
    keys = Keys(jwk(RSA_KEY, "k1"))
    authenticator = Authenticator(keys=keys.set)
    header = signed(RSA_KEY, "RS256", "k1", exp=time.time() + 3600)
    await authenticator.caller(header)
    keys.out_of_reach = True
    keys.time += jwks.MAX_AGE_SECONDS + 1
    await authenticator.caller(header)


async def test_without_any_key_the_service_is_unavailable_not_the_token_bad() -> None:
    keys = Keys()
    keys.out_of_reach = True
    authenticator = Authenticator(keys=keys.set)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await authenticator.caller(signed(RSA_KEY, "RS256", "k1"))
    assert keys.loads == 1


@pytest.fixture
async def key_server() -> AsyncIterator[tuple[str, dict[str, bytes]]]:
    """An HTTP server on loopback that answers what the test puts into its dictionary."""
    answer = {"body": b"", "status": b"200 OK"}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 " + answer["status"] + b"\r\nConnection: close\r\nContent-Length: "
        writer.write(head + str(len(answer["body"])).encode() + b"\r\n\r\n" + answer["body"])
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys", answer


async def test_keys_come_from_a_url(key_server: tuple[str, dict[str, bytes]]) -> None:
    url, answer = key_server
    answer["body"] = key_set(jwk(RSA_KEY, "k1"))
    authenticator = build_authenticator(load_settings(jwt_jwks=url))
    await authenticator.caller(signed(RSA_KEY, "RS256", "k1"))


@pytest.mark.parametrize(
    ("status", "body"), [(b"500 Oops", b"{}"), (b"302 Found", b""), (b"200 OK", b"x" * (jwks.MAX_BYTES + 1))]
)
async def test_a_url_that_gives_no_keys_makes_the_service_unavailable(
    key_server: tuple[str, dict[str, bytes]], status: bytes, body: bytes
) -> None:
    url, answer = key_server
    answer.update(status=status, body=body)
    with pytest.raises(Unavailable):
        await build_authenticator(load_settings(jwt_jwks=url)).caller(signed(RSA_KEY, "RS256", "k1"))


async def test_a_key_server_that_drips_has_one_bound_for_all_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "FETCH_SECONDS", 0.3)
    gone = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not writer.is_closing() and not reader.at_eof():
            writer.write(b" ")
            await asyncio.sleep(0.05)
        gone.set()
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"
        with pytest.raises(Unavailable):
            await build_authenticator(load_settings(jwt_jwks=url)).caller(signed(RSA_KEY, "RS256", "k1"))
        await gone.wait()


async def test_keys_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(key_set(jwk(EC_KEY, "k1")))
    authenticator = build_authenticator(load_settings(jwt_jwks=str(file)))
    await authenticator.caller(signed(EC_KEY, "ES256", "k1"))
