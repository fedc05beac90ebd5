"""Whether a webhook is the service's: signatures as Standard Webhooks has them (https://www.standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

TOLERANCE_SECONDS = 300.0
_PREFIX = "whsec_"


class WebhookRefused(Exception):
    """What came is not what the service sent, or is too old to be it."""


def verify(
    body: bytes,
    headers: Mapping[str, str],
    *secrets: str,
    now: float | None = None,
    tolerance: float = TOLERANCE_SECONDS,
) -> dict[str, Any]:
    """The message of a webhook, once it is known to be the service's. Raises WebhookRefused.

    `body` are the bytes as they came; `secrets` those of the endpoint (`whsec_...`): while one is being replaced, both.
    `webhook-id` is the same for each try of a message, so that one that comes again can be told.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, sent_at, signatures = (given[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        moment = int(sent_at)
    except (KeyError, ValueError):
        raise WebhookRefused("a header of the signature is missing") from None
    if abs((time.time() if now is None else now) - moment) > tolerance:
        raise WebhookRefused("it was sent too long ago, or is dated into the future")
    signed = f"{message_id}.{moment}.".encode() + body
    wanted = [_signature(secret, signed) for secret in secrets]
    told = [part.removeprefix("v1,") for part in signatures.split(" ") if part.startswith("v1,")]
    if not any(hmac.compare_digest(ours, theirs.encode()) for ours in wanted for theirs in told):
        raise WebhookRefused("no signature is of one of these secrets")
    message: dict[str, Any] = json.loads(body)
    return message


def _signature(secret: str, signed: bytes) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise WebhookRefused("the secret is not one that the service gave") from None
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
