"""A typed client of SalesOS Auto Enrichment: calls, the live feed, and the verifier of its webhooks.

`Client` and `AsyncClient` are generated of the service's schema and of the documents in `operations.graphql`.
"""

from auto_enrichment_client.asynchronous import AsyncClient
from auto_enrichment_client.connect import connect, connect_async
from auto_enrichment_client.feed import CursorExpired, FeedRefused, live_events, live_events_blocking
from auto_enrichment_client.synchronous import Client
from auto_enrichment_client.webhook import WebhookRefused, verify

__all__ = [
    "AsyncClient",
    "Client",
    "CursorExpired",
    "FeedRefused",
    "WebhookRefused",
    "connect",
    "connect_async",
    "live_events",
    "live_events_blocking",
    "verify",
]
