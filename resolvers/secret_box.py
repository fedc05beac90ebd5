"""Encryption of stored secrets: AES-256-GCM, each ciphertext bound to the context that it belongs to."""

import base64
import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12


class CannotUnseal(Exception):
    """The secret was sealed with another key, or for another context."""


@dataclass(frozen=True, slots=True)
class SecretBox:
    """Seals and unseals with one master secret (at least 32 bytes)."""

    secret: bytes = field(repr=False)

    def seal(self, text: str, *, context: str) -> str:
        """The encrypted text (base64), which opens only with the same secret and the same context."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher().encrypt(nonce, text.encode(), context.encode())
        return base64.b64encode(nonce + sealed).decode()

    def unseal(self, sealed: str, *, context: str) -> str:
        """The text that was sealed. Raises CannotUnseal."""
        raw = base64.b64decode(sealed)
        try:
            return self._cipher().decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], context.encode()).decode()
        except InvalidTag as error:
            raise CannotUnseal("sealed with another secret, or for another context") from error

    def _cipher(self) -> AESGCM:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"auto-enrichment provider keys")
        return AESGCM(derived.derive(self.secret))
