"""Keyed hashes of what identifies somebody: they can be compared, and not be turned back into the value.

The key is random, made once for the installation and stored in the database, sealed where there is an ENCRYPTION_KEY.
A hash is bound to the organization and to the kind of what it stands for.
"""

import base64
import hmac
import os
from dataclasses import dataclass, field

from models.installation_secret import SecretRow, find_secret, insert_secret, seal_secret
from resolvers.context import Services
from resolvers.secret_box import CannotUnseal

_NAME = "fingerprints"  # of the stored key, which is sealed for this name
_KEY_BYTES = 32


class KeyLost(Exception):
    """The key cannot be read: it was sealed with another ENCRYPTION_KEY than this process has."""


@dataclass(frozen=True, slots=True)
class KeyedHash:
    """Makes the hashes of this installation."""

    key: bytes = field(repr=False)

    def of(self, organization_id: str, kind: str, value: str) -> str:
        """HMAC-SHA-256 of the value: 64 hexadecimal characters."""
        text = f"{organization_id}\n{kind}\n{value}".encode("utf-8", "surrogatepass")
        return hmac.digest(self.key, text, "sha256").hex()


async def keyed_hash_of(services: Services) -> KeyedHash:
    """The installation's hashes; the key is made on first use. Raises KeyLost."""
    if services.hash_key is None:
        services.hash_key = await _key(services)
    return KeyedHash(services.hash_key)


async def _key(services: Services) -> bytes:
    secret = await find_secret(_NAME)
    if secret is None:
        await _make(services)
        secret = await find_secret(_NAME)
    assert secret is not None  # made above, or by another process that was faster
    if secret.sealed:
        if services.secret_box is None:
            raise KeyLost("the key is sealed, and this process has no ENCRYPTION_KEY")
        try:
            return base64.b64decode(services.secret_box.unseal(secret.value, context=_NAME))
        except CannotUnseal as error:
            raise KeyLost("the key is sealed with another ENCRYPTION_KEY") from error
    if services.secret_box is not None:
        await seal_secret(secret, services.secret_box.seal(secret.value, context=_NAME))
    return base64.b64decode(secret.value)


async def _make(services: Services) -> None:
    value = base64.b64encode(os.urandom(_KEY_BYTES)).decode()
    if services.secret_box is not None:
        value = services.secret_box.seal(value, context=_NAME)
    await insert_secret(SecretRow(_NAME, value, services.secret_box is not None, services.now()))
