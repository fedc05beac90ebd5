"""The closed lists of webhooks: how an endpoint and a delivery stand, and what went wrong with an attempt."""

from enum import StrEnum


class WebhookStatus(StrEnum):
    """Whether an endpoint is sent anything."""

    ACTIVE = "active"
    PAUSED = "paused"


class WebhookPause(StrEnum):
    """Why an endpoint is paused."""

    BY_USER = "by_user"
    FAILING = "failing"  # nothing was delivered for days
    GONE = "gone"  # it answered 410


class WebhookDeliveryStatus(StrEnum):
    """How a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    SET_ASIDE = "set_aside"  # given up after a day of attempts
    ERASED = "erased"  # its record was erased: nothing is left to send


class WebhookFault(StrEnum):
    """Why an attempt failed."""

    STATUS = "status"  # an answer other than 2xx
    REDIRECT = "redirect"  # which is never followed
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    CERTIFICATE = "certificate"
    ADDRESS_REFUSED = "address_refused"  # it resolves to a network that may not be reached
    ANSWER_TOO_LARGE = "answer_too_large"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 -- a word; ENCRYPTION_KEY is another than the secret's
