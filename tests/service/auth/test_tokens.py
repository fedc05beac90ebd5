"""Who is let in, as whom, and who is not."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from resolvers.context import Role
from resolvers.errors import Unauthenticated, Unavailable
from service.auth import jwks
from service.auth.tokens import Authenticator, build_authenticator, development_token, role_of, signing_secret
from service.settings import BadSettings, Settings, load_settings

SECRET = "a-secret-of-more-than-thirty-two-bytes"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims, with changes; a change to None leaves the claim out."""
    good = {"sub": "user-1", "organizationId": "acme", "role": "USER", "exp": time.time() + 60}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def bearer(**changes: Any) -> str:
    return signed(SECRET, "HS256", None, **changes)


def signed(key: Any, algorithm: str, kid: str | None, /, **changes: Any) -> str:
    return f"Bearer {jwt.encode(claims(**changes), key, algorithm, headers={'kid': kid} if kid else None)}"


def part(value: object) -> str:
    """A value as a segment of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def jwk(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    kinds: list[tuple[type, Callable[..., Any]]] = [
        (rsa.RSAPrivateKey, RSAAlgorithm.to_jwk),
        (ec.EllipticCurvePrivateKey, ECAlgorithm.to_jwk),
        (ed25519.Ed25519PrivateKey, OKPAlgorithm.to_jwk),
    ]
    to_jwk = next(make for kind, make in kinds if isinstance(key, kind))
    return {**to_jwk(key.public_key(), as_dict=True), "kid": kid, **more}


def key_set(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


class Keys:
    """A place that keys are loaded from: counts the loads, and can be out of reach."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = keys
        self.loads = 0
        self.time = 1000.0
        self.out_of_reach = False
        self.set = jwks.KeySet(self._load, now=lambda: self.time)

    async def _load(self) -> bytes:
        self.loads += 1
        if self.out_of_reach:
            raise OSError("no route to host")
        return key_set(*self.keys)


SHARED = Authenticator(shared=[SECRET])


async def test_a_good_token_names_its_caller() -> None:
    expires = int(time.time()) + 60
    caller = await SHARED.caller(bearer(role="MANAGER", email="ann@acme.example", exp=expires))
    assert (caller.organization_id, caller.user, caller.role) == ("acme", "user-1", Role.MANAGER)
    assert caller.email == "ann@acme.example"
    assert caller.expires_at is not None
    assert caller.expires_at.timestamp() == expires


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "Bearer a.b",
        "Bearer a.b.c",
        "Bearer ....",
        "Bearer " + "a" * 20_000,
        "Bearer one.two.three four",
        "Bearer \udcff.\udcff.\udcff",
    ],
)
async def test_what_is_no_bearer_token_is_refused(header: str | None) -> None:
    with pytest.raises(Unauthenticated):
        await SHARED.caller(header)


@pytest.mark.parametrize("claim", ["exp", "sub", "organizationId"])
async def test_a_token_without_a_required_claim_is_refused(claim: str) -> None:
    with pytest.raises(Unauthenticated):
        await SHARED.caller(bearer(**{claim: None}))


@pytest.mark.parametrize("claim", ["sub", "organizationId"])
@pytest.mark.parametrize("value", ["", "  ", 7, ["acme"], {"id": "acme"}, True, "a\nb", "a\0", "x" * 300, "\ud800"])
async def test_a_name_that_is_no_clean_text_is_refused(claim: str, value: Any) -> None:
    with pytest.raises(Unauthenticated):
        await SHARED.caller(bearer(**{claim: value}))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": time.time() - 1},
        {"exp": 0},
        {"exp": "soon"},
        {"exp": [1]},
        {"exp": float("inf")},
        {"nbf": time.time() + 600},
        {"iat": time.time() + 600},
    ],
)
async def test_a_token_out_of_its_time_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        await SHARED.caller(bearer(**changes))


async def test_a_token_is_refused_from_the_second_it_expires_on() -> None:
    header = bearer(exp=int(time.time()) + 1)
    await SHARED.caller(header)
    await asyncio.sleep(1.1)
    with pytest.raises(Unauthenticated, match="expired"):
        await SHARED.caller(header)


async def test_an_expiry_beyond_the_calendar_is_no_error() -> None:
    caller = await SHARED.caller(bearer(exp=10**15))
    assert caller.expires_at is not None
    assert caller.expires_at.year == 9999


async def test_a_clock_slightly_ahead_of_ours_is_forgiven() -> None:
    await SHARED.caller(bearer(nbf=time.time() + 5, iat=time.time() + 5))


async def test_a_token_signed_with_another_secret_is_refused_without_saying_why() -> None:
    with pytest.raises(Unauthenticated) as refusal:
        await SHARED.caller(signed("another-secret-of-thirty-two-bytes!!", "HS256", None))
    assert refusal.value.message == "the token is not valid"


@pytest.mark.parametrize("algorithm", ["none", "None", "HS384", "HS512"])
async def test_the_token_does_not_choose_its_algorithm(algorithm: str) -> None:
    if algorithm.startswith("HS"):
        header = signed(SECRET * 2, algorithm, None)
    else:
        header = f"Bearer {part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims())}."
    with pytest.raises(Unauthenticated):
        await Authenticator(shared=[SECRET * 2]).caller(header)


async def test_a_public_key_is_not_taken_for_a_shared_secret() -> None:
    public = RSA_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    text = f"{part({'alg': 'HS256', 'kid': 'k1'})}.{part(claims())}"
    signature = base64.urlsafe_b64encode(hmac.digest(public, text.encode(), "sha256")).decode().rstrip("=")
    with pytest.raises(Unauthenticated):
        await Authenticator(keys=Keys(jwk(RSA_KEY, "k1")).set).caller(f"Bearer {text}.{signature}")


def test_a_public_key_cannot_be_set_as_the_shared_secret(tmp_path: Path) -> None:
    public = RSA_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with pytest.raises(BadSettings, match="JWT_SECRET"):
        build_authenticator(development(tmp_path, jwt_secret=public.decode()))


@pytest.mark.parametrize(
    ("claim", "role"),
    [
        ("ADMIN", Role.ADMIN),
        ("manager", Role.MANAGER),
        ("USER", Role.USER),
        ("OWNER", Role.VIEWER),
        ("Admin", Role.VIEWER),
        (None, Role.VIEWER),
        (["ADMIN"], Role.VIEWER),
        (1, Role.VIEWER),
    ],
)
def test_an_unknown_role_may_only_read(claim: Any, role: Role) -> None:
    assert role_of(claim) is role


async def test_issuer_and_audience_are_checked_where_they_are_set() -> None:
    strict = Authenticator(shared=[SECRET], issuer="https://salesos.example", audience="enrichment")
    await strict.caller(bearer(iss="https://salesos.example", aud=["crm", "enrichment"]))
    for wrong in (
        {},
        {"iss": "https://salesos.example"},
        {"aud": "enrichment"},
        {"iss": "https://evil.example", "aud": "enrichment"},
        {"iss": "https://salesos.example", "aud": "crm"},
    ):
        with pytest.raises(Unauthenticated):
            await strict.caller(bearer(**wrong))


async def test_an_audience_nobody_asked_about_is_no_matter() -> None:
    await SHARED.caller(bearer(aud="someone", iss="anyone"))


async def test_the_organization_claim_can_have_another_name() -> None:
    other = Authenticator(shared=[SECRET], organization_claim="https://salesos.example/org")
    caller = await other.caller(bearer(**{"organizationId": None, "https://salesos.example/org": "globex"}))
    assert caller.organization_id == "globex"
    with pytest.raises(Unauthenticated):
        await other.caller(bearer())


async def test_the_previous_secret_is_good_until_it_is_taken_away() -> None:
    old, new = "the-old-secret-with-enough-bytes-in-it", "the-new-secret-with-enough-bytes-in-it"
    rotating = Authenticator(shared=[new, old])
    await rotating.caller(signed(new, "HS256", None))
    await rotating.caller(signed(old, "HS256", None))
    with pytest.raises(Unauthenticated, match="expired"):
        await rotating.caller(signed(old, "HS256", None, exp=time.time() - 60))
    with pytest.raises(Unauthenticated):
        await Authenticator(shared=[new]).caller(signed(old, "HS256", None))


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
    assert list(usable) == ["good"]


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"keys": 1}', b"<html>", b'{"keys": null}'])
def test_what_is_no_key_set_is_refused(text: bytes) -> None:
    with pytest.raises(jwks.KeysUnavailable):
        jwks.usable_keys(text)


async def test_a_token_without_a_key_id_is_good_where_there_is_one_key_only() -> None:
    await Authenticator(keys=Keys(jwk(RSA_KEY, "k1")).set).caller(signed(RSA_KEY, "RS256", None))
    with pytest.raises(Unauthenticated):
        await Authenticator(keys=Keys(jwk(RSA_KEY, "k1"), jwk(EC_KEY, "k2")).set).caller(signed(RSA_KEY, "RS256", None))


async def test_keys_are_loaded_once_and_again_when_old() -> None:
    keys = Keys(jwk(RSA_KEY, "k1"))
    authenticator = Authenticator(keys=keys.set)
    for _ in range(5):
        await authenticator.caller(signed(RSA_KEY, "RS256", "k1"))
    assert keys.loads == 1
    keys.time += jwks.MAX_AGE_SECONDS + 1
    await authenticator.caller(signed(RSA_KEY, "RS256", "k1"))
    assert keys.loads == 2


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


async def test_keys_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(key_set(jwk(EC_KEY, "k1")))
    authenticator = build_authenticator(load_settings(jwt_jwks=str(file)))
    await authenticator.caller(signed(EC_KEY, "ES256", "k1"))


def development(tmp_path: Path, **changes: Any) -> Settings:
    return load_settings(data_dir=tmp_path / "data", **changes)


def test_the_development_secret_is_made_once_and_is_the_owners_alone(tmp_path: Path) -> None:
    settings = development(tmp_path)
    secret = signing_secret(settings)
    assert len(secret) >= 32
    assert signing_secret(settings) == secret
    assert (settings.data_dir / "jwt-secret").stat().st_mode & 0o077 == 0


async def test_a_development_token_is_accepted(tmp_path: Path) -> None:
    settings = development(tmp_path, jwt_issuer="us", jwt_audience="them", jwt_org_claim="org")
    token = development_token(
        settings, organization_id="acme", role=Role.ADMIN, user="ann", ttl_seconds=60, email="ann@acme.example"
    )
    caller = await build_authenticator(settings).caller(f"Bearer {token}")
    assert (caller.organization_id, caller.user, caller.role) == ("acme", "ann", Role.ADMIN)


async def test_a_short_secret_works_in_development_and_signs_as_it_is(tmp_path: Path) -> None:
    settings = development(tmp_path, jwt_secret="short")
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        header = signed("short", "HS256", None)
    await build_authenticator(settings).caller(header)
