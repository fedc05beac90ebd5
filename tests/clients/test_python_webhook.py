"""The Python client's verifier takes what the service or another library signed, and nothing else."""

import json
import time
from datetime import UTC, datetime

import pytest
from arq.connections import ArqRedis
from auto_enrichment_client import WebhookRefused, verify
from standardwebhooks.webhooks import Webhook

from resolvers.webhook.api import rotate
from tests.support.factories import Clock, StandIn, context, send, services
from tests.support.log import settled
from tests.support.webhook_receiver import Received, endpoint_at, receiver, send_all, sending, with_webhooks

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def signed(body: str, secret: str = SECRET, ago: float = 0.0) -> dict[str, str]:
    at = datetime.fromtimestamp(time.time() - ago, UTC)
    signature = Webhook(secret).sign("msg_1", at, body)
    return {"Webhook-Id": "msg_1", "Webhook-Timestamp": str(int(at.timestamp())), "Webhook-Signature": signature}


def test_a_webhook_that_another_library_signed_is_taken_and_nothing_else() -> None:
    body = json.dumps({"kind": "JOB_ENDED", "cursor": "7"})
    assert verify(body.encode(), signed(body), SECRET) == {"kind": "JOB_ENDED", "cursor": "7"}
    assert verify(body.encode(), signed(body, OTHER), SECRET, OTHER)["cursor"] == "7"  # while one is being replaced
    both = {**signed(body), "Webhook-Signature": f"v1,AAAA {signed(body)['Webhook-Signature']}"}
    assert verify(body.encode(), both, SECRET)["cursor"] == "7"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"a": 2}', signed('{"a": 1}')),
        (b'{"a": 1}', signed('{"a": 1}', OTHER)),
        (b'{"a": 1}', {**signed('{"a": 1}'), "Webhook-Id": "msg_2"}),
        (b'{"a": 1}', signed('{"a": 1}', ago=3600)),
        (b'{"a": 1}', signed('{"a": 1}', ago=-3600)),
        (b'{"a": 1}', {**signed('{"a": 1}'), "Webhook-Signature": ""}),
        (b'{"a": 1}', {"Webhook-Id": "msg_1"}),
    ],
)
def test_a_webhook_that_was_changed_or_is_old_or_anothers_is_refused(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(WebhookRefused):
        verify(body, headers, SECRET)


@pytest.mark.usefixtures("db")
async def test_a_receiver_takes_what_the_service_sends_also_while_its_secret_is_replaced(redis: ArqRedis) -> None:
    clock = Clock()
    ctx = context(with_webhooks(services(redis, StandIn(), now=clock)))
    taken: list[str] = []
    async with receiver() as receiving, sending(ctx.services) as sender:
        made = await endpoint_at(ctx, receiving.url)
        secrets = [made.secret]

        def take(got: Received) -> int:
            try:
                taken.append(verify(got.body, got.headers, *secrets, now=clock().timestamp())["kind"])
            except WebhookRefused:
                return 401
            return 204

        receiving.answer = take
        await send(ctx, "account", "A1", name="Company 1")
        await settled()
        await send_all(sender)
        assert taken == ["record.created", "job.created"]
        secrets = [(await rotate(ctx, made.endpoint.id)).secret]
        await send(ctx, "account", "A2", name="Company 2")
        await settled()
        await send_all(sender)
        assert taken[2:] == ["record.created", "job.created"]
