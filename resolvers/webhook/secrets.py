"""The secrets that webhooks are signed with: made here, shown once, stored sealed."""

import base64
import binascii
import os

from resolvers.secret_box import SecretBox

PREFIX = "whsec_"  # as Standard Webhooks writes a shared secret
_BYTES = 32


def new_secret() -> str:
    """A secret that nobody has had before."""
    return PREFIX + base64.b64encode(os.urandom(_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The bytes that sign. Raises ValueError for what is no such secret."""
    if not secret.startswith(PREFIX):
        raise ValueError("no secret of a webhook")
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("no secret of a webhook") from error


def seal(box: SecretBox, secret: str, organization_id: str, endpoint_id: str) -> str:
    """The secret as it is stored: it opens for this endpoint alone."""
    return box.seal(secret, context=_context(organization_id, endpoint_id))


def unseal(box: SecretBox, sealed: str, organization_id: str, endpoint_id: str) -> str:
    """The stored secret. Raises CannotUnseal."""
    return box.unseal(sealed, context=_context(organization_id, endpoint_id))


def _context(organization_id: str, endpoint_id: str) -> str:
    return f"{organization_id}\nwebhook\n{endpoint_id}"
