"""Replies of success without an answer: they are no miss, whichever adapter read them as one."""

from typing import Any

import orjson
import pytest

from providers.api import NO_MATCH, Answer, Pending, ProviderError, ProviderInfo, Question
from providers.apollo.adapter import Apollo
from providers.http.adapter import Adapter, Http, Reply
from providers.http.client import HttpClient
from providers.http.provider import HttpProvider
from providers.http.unanswered import unanswered
from tests.support.fake_http import account
from tests.support.provider_server import OneKey
from tests.support.standin_server import ScriptedReply, StandInServer, json_reply


def reply(body: Any, status: int = 200) -> Reply:
    return Reply(status, {}, b"" if body is None else orjson.dumps(body))


@pytest.mark.parametrize(
    ("answer", "code", "retryable"),
    [
        (reply(None, 202), "unavailable", True),
        (reply({"status": "pending"}), "unavailable", True),
        (reply({"state": "In progress"}), "unavailable", True),
        (reply({"pending": True}), "unavailable", True),
        (reply({"error": {"code": "QUOTA"}}), "out_of_credits", False),
        (reply({"errors": [{"id": "too_many_requests"}]}), "rate_limited", True),
        (reply({"error": "something broke"}), "rejected", False),
        (reply({"status": "failed"}), "rejected", False),
    ],
)
def test_a_reply_that_is_no_answer_is_an_error(answer: Reply, code: str, retryable: bool) -> None:
    error = unanswered("Acme", answer, 7.0)
    assert error is not None
    assert (error.code, error.retryable, error.maybe_charged) == (code, retryable, False)


@pytest.mark.parametrize(
    "answer",
    [
        reply({"status": "success", "data": None}),
        reply({"status": 404, "error": {"type": "not_found"}}),
        reply({"error": "No such record: company not found"}),
        reply({"error": None, "errors": []}),
        reply([]),
        reply({"status": "pending"}, 404),
    ],
)
def test_a_reply_that_says_nobody_is_a_miss(answer: Reply) -> None:
    assert unanswered("Acme", answer) is None


class Simple(Adapter):
    """Takes whatever it cannot read for a miss, as an adapter of a third party may."""

    info = ProviderInfo("simple", "Simple", {}, "a domain", remote=True)
    bases = {"": "https://simple.example"}

    def input_key(self, question: Question) -> str | None:
        return "one"

    async def look_up(self, question: Question, http: Http) -> Answer | Pending:
        await http.send("GET", "/find")
        return NO_MATCH


@pytest.mark.parametrize(
    ("path", "adapter"), [("/find", Simple()), ("/organizations/enrich", Apollo())], ids=["plug-in", "apollo"]
)
@pytest.mark.parametrize("scripted", [ScriptedReply(202), json_reply({"status": "pending"}, retry_after="45")])
async def test_no_adapter_makes_a_miss_of_what_is_pending(
    server: StandInServer, transport: HttpClient, path: str, adapter: Any, scripted: ScriptedReply
) -> None:
    server.script(path, scripted)
    asking = HttpProvider(adapter, transport, OneKey(), {"": server.url})
    with pytest.raises(ProviderError) as refusal:
        await asking.ask(account(domain="example.com"))
    assert (refusal.value.code, refusal.value.retryable) == ("unavailable", True)
    assert refusal.value.retry_after_seconds in {None, 45.0}
