"""Who is let in, as whom, and who is not."""

import base64
import hmac
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from structlog.testing import capture_logs

from resolvers.context import Role
from resolvers.errors import Unauthenticated
from service.auth.shared_secret import development_token, signing_secret
from service.auth.tokens import Authenticator, build_authenticator, role_of
from service.installation_settings import load_settings
from service.settings import BadSettings, Settings
from tests.support.tokens import RSA_KEY, SECRET, Keys, bearer, claims, jwk, part, signed
from tests.support.waiting import PATIENCE_SECONDS

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
        {"nbf": time.time() + 86_400},
        {"iat": time.time() + 86_400},
    ],
)
async def test_a_token_out_of_its_time_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        await SHARED.caller(bearer(**changes))


async def test_a_token_is_refused_from_the_second_it_expires_on() -> None:
    await SHARED.caller(bearer(exp=int(time.time()) + PATIENCE_SECONDS))
    with pytest.raises(Unauthenticated, match="expired"):
        await SHARED.caller(bearer(exp=int(time.time())))


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
        ("Admin", Role.ADMIN),
        (" admin ", Role.ADMIN),
        (None, Role.VIEWER),
        (["ADMIN"], Role.ADMIN),
        (["user", "Manager", "viewer"], Role.MANAGER),
        (["OWNER", "user"], Role.USER),
        ([], Role.VIEWER),
        (1, Role.VIEWER),
        ({"role": "ADMIN"}, Role.VIEWER),
    ],
)
def test_a_role_is_read_in_any_case_a_list_by_its_strongest_and_an_unknown_one_may_only_read(
    claim: Any, role: Role
) -> None:
    assert role_of(claim) is role


@pytest.mark.parametrize(("claim", "shown"), [("OWNER", ["OWNER"]), (["x" * 99, "USER"], ["x" * 40]), ("user", [])])
def test_an_unknown_role_is_logged(claim: Any, shown: list[str]) -> None:
    with capture_logs() as lines:
        role_of(claim)
    assert [line["role"] for line in lines] == shown


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
