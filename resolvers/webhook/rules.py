"""The settings that webhooks follow."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from resolvers.webhook.addresses import AllowedNetworks


@dataclass(frozen=True, slots=True)
class WebhookRules:
    """How long an event is tried, how long an endpoint may fail, and which networks of its own may be reached.

    The certificates of `ca_file` are trusted beside the usual ones.
    """

    allowed: AllowedNetworks = field(default_factory=AllowedNetworks)
    retry_for: timedelta = timedelta(hours=24)
    pause_after: timedelta = timedelta(days=5)
    ca_file: Path | None = None
