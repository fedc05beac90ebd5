"""Keyed hashes of what tells who somebody is: they can be compared, and not be turned back.

The key is random, made once for the installation and kept in the database, sealed where there is an ENCRYPTION_KEY.
A hash is bound to the organization and to the kind of what it stands for.
"""

import base64
import hmac
import os
from dataclasses import dataclass, field

from models.db.columns import to_micros
from models.db.statements import execute, query
from models.db.transaction import Transaction, unit_of_work
from resolvers.context import Services
from resolvers.secret_box import CannotUnseal

_NAME = "fingerprints"
_KEY_BYTES = 32


class KeyLost(Exception):
    """The key cannot be read: it was sealed with another ENCRYPTION_KEY than this process has."""


@dataclass(frozen=True, slots=True)
class KeyedHash:
    """Makes the hashes of this installation."""

    key: bytes = field(repr=False)

    def of(self, organization_id: str, kind: str, value: str) -> str:
        """64 hexadecimal characters."""
        said = f"{organization_id}\n{kind}\n{value}".encode("utf-8", "surrogatepass")
        return hmac.digest(self.key, said, "sha256").hex()


async def keyed_hash_of(services: Services) -> KeyedHash:
    """The installation's hashes; the key is made on first use. Raises KeyLost."""
    if services.hash_key is None:
        services.hash_key = await _key(services)
    return KeyedHash(services.hash_key)


async def _key(services: Services) -> bytes:
    found = await _read()
    if not found:
        await _make(services)
        found = await _read()
    row = found[0]
    if row["sealed"]:
        if services.secret_box is None:
            raise KeyLost("the key is sealed, and this process has no ENCRYPTION_KEY")
        try:
            return base64.b64decode(services.secret_box.unseal(row["value"], context=_NAME))
        except CannotUnseal as error:
            raise KeyLost("the key is sealed with another ENCRYPTION_KEY") from error
    if services.secret_box is not None:
        sealed = services.secret_box.seal(row["value"], context=_NAME)
        await execute(
            "UPDATE installation_secret SET value = ?, sealed = TRUE WHERE name = ? AND value = ?",
            [sealed, _NAME, row["value"]],
        )
    return base64.b64decode(row["value"])


async def _read() -> list[dict[str, str]]:
    return await query("SELECT value, sealed FROM installation_secret WHERE name = ?", [_NAME])


async def _make(services: Services) -> None:
    value = base64.b64encode(os.urandom(_KEY_BYTES)).decode()
    sealed = services.secret_box is not None
    if services.secret_box is not None:
        value = services.secret_box.seal(value, context=_NAME)
    made_at = to_micros(services.now())

    async def body(tx: Transaction) -> None:
        # Two first uses may come at once: one makes the key, both read it.
        await execute(
            "INSERT INTO installation_secret (name, value, sealed, made_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [_NAME, value, sealed, made_at],
            using=tx,
        )

    await unit_of_work(body)()
