"""What became of an attempt to send a message."""

from dataclasses import dataclass

from models.webhook.kinds import WebhookFault


@dataclass(frozen=True, slots=True)
class Sent:
    """The status of the answer, where there was one. `fault` None: the message arrived.

    `retry_after`: seconds, as the endpoint asked.
    """

    status: int | None
    fault: WebhookFault | None
    retry_after: float | None = None
