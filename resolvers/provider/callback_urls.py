"""The URLs to which providers send answers that come later: one for each question, which nobody can make up.

The last part of a URL is a token: the job, a digest of the question and of the organization, and when it expires,
signed with a key that is derived from the installation's secret. The provider's name is signed too. A token tells a
stranger nothing, and one that is not signed by this installation is refused without a look into the database.
"""

import base64
import hashlib
import hmac
import re
import struct
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from models.answer.row import AnswerKey

PATH = "/v1/auto-enrichment/webhooks"

_VERSION = 1
_BODY = struct.Struct(">BQ16s32s16s")  # version, expiry (seconds since 1970), job, question, organization
_SIGNATURE_BYTES = 32
_TOKEN = re.compile(rf"[0-9A-Za-z_-]{{{(_BODY.size + _SIGNATURE_BYTES) * 4 // 3}}}")


@dataclass(frozen=True, slots=True)
class CallbackQuestion:
    """The question that a token names. `organization` is a digest."""

    provider: str
    job_id: str
    input_key: str
    organization: bytes

    def is_of(self, organization_id: str) -> bool:
        """Whether it is a question of this organization."""
        return hmac.compare_digest(self.organization, _digest(organization_id))


@dataclass(frozen=True)
class CallbackUrls:
    """Makes and reads the URLs. `public_url`: where providers reach the service; `secret`: 32 bytes or more."""

    public_url: str
    secret: bytes = field(repr=False)

    def url(self, answer_key: AnswerKey, until: datetime) -> str:
        """Where the answer to this question may be sent, `until` then."""
        job, question = UUID(answer_key.job_id).bytes, bytes.fromhex(answer_key.input_key)
        body = _BODY.pack(_VERSION, int(until.timestamp()), job, question, _digest(answer_key.organization_id))
        token = base64.urlsafe_b64encode(body + self._signature(answer_key.provider, body)).decode()
        return f"{self.public_url}{PATH}/{answer_key.provider}/{token}"

    def read(self, provider: str, token: str, now: datetime) -> CallbackQuestion | None:
        """The question of a token; None for one that is not ours, is another provider's, or has expired."""
        if not _TOKEN.fullmatch(token):
            return None
        raw = base64.urlsafe_b64decode(token)
        body, signature = raw[: _BODY.size], raw[_BODY.size :]
        if not hmac.compare_digest(signature, self._signature(provider, body)):
            return None
        version, expiry, job, question, organization = _BODY.unpack(body)
        if version != _VERSION or expiry <= now.timestamp():
            return None
        return CallbackQuestion(provider, str(UUID(bytes=job)), question.hex(), organization)

    def _signature(self, provider: str, body: bytes) -> bytes:
        return hmac.digest(self._key, provider.encode("utf-8", "replace") + b"\n" + body, "sha256")

    @cached_property
    def _key(self) -> bytes:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"auto-enrichment callbacks")
        return derived.derive(self.secret)


def _digest(organization_id: str) -> bytes:
    return hashlib.sha256(organization_id.encode("utf-8", "surrogatepass")).digest()[:16]
