"""Signatures as Standard Webhooks has them (https://www.standardwebhooks.com)."""

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime

from resolvers.webhook.secrets import key_of


def signed_headers(message_id: str, at: datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The headers of a message that is sent at this moment, signed with each of these secrets."""
    timestamp = str(int(at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key_of(secret), signed, "sha256")).decode() for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
