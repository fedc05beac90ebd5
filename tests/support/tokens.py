"""Tokens as callers send them, and the keys that they are signed with."""

import asyncio
import base64
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from service.auth import jwks

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
    return f"Bearer {jwt.encode(claims(**changes), key, algorithm, headers=None if kid is None else {'kid': kid})}"


def part(value: object) -> str:
    """A value as a segment of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def jwk(key: Any, kid: str | None, **more: Any) -> dict[str, Any]:
    kinds: list[tuple[type, Callable[..., Any]]] = [
        (rsa.RSAPrivateKey, RSAAlgorithm.to_jwk),
        (ec.EllipticCurvePrivateKey, ECAlgorithm.to_jwk),
        (ed25519.Ed25519PrivateKey, OKPAlgorithm.to_jwk),
    ]
    to_jwk = next(make for kind, make in kinds if isinstance(key, kind))
    return {**to_jwk(key.public_key(), as_dict=True), **({} if kid is None else {"kid": kid}), **more}


def key_set(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


class Keys:
    """A source of keys: it counts the loads, and can be out of reach or give no answer."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = keys
        self.loads = 0
        self.time = 1000.0
        self.out_of_reach = False
        self.hangs = False
        self.set = jwks.KeySet(self._load, now=lambda: self.time)

    async def _load(self) -> bytes:
        self.loads += 1
        if self.out_of_reach:
            raise OSError("no route to host")
        if self.hangs:
            await asyncio.Event().wait()
        return key_set(*self.keys)
