"""The URLs to which providers send answers: each names one question, of one organization, until it expires."""

from datetime import UTC, datetime, timedelta

import pytest

from models.answer.row import AnswerKey
from models.db.columns import new_id
from resolvers.provider.callback_urls import CallbackUrls

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
END = NOW + timedelta(hours=1)
QUESTION = AnswerKey("acme", "apollo", "0f" * 32, new_id())
URLS = CallbackUrls("https://crm.example.com/enrichment", b"m" * 32)


def token(urls: CallbackUrls = URLS, question: AnswerKey = QUESTION, end: datetime = END) -> str:
    return urls.url(question, end).rpartition("/")[2]


def test_a_url_names_its_question_and_shows_nothing_of_it() -> None:
    url = URLS.url(QUESTION, END)
    assert url.startswith("https://crm.example.com/enrichment/v1/auto-enrichment/webhooks/apollo/")
    assert not any(part in url for part in ("acme", QUESTION.job_id, QUESTION.input_key))
    question = URLS.read("apollo", token(), NOW)
    assert question is not None
    assert (question.provider, question.job_id, question.input_key) == ("apollo", QUESTION.job_id, QUESTION.input_key)
    assert (question.is_of("acme"), question.is_of("rivals"), question.is_of("")) == (True, False, False)
    assert "m" * 32 not in repr(URLS)


def test_every_question_has_a_url_of_its_own() -> None:
    others = [
        AnswerKey("rivals", "apollo", QUESTION.input_key, QUESTION.job_id),
        AnswerKey("acme", "apollo", "0e" * 32, QUESTION.job_id),
        AnswerKey("acme", "apollo", QUESTION.input_key, new_id()),
        AnswerKey("acme", "hunter", QUESTION.input_key, QUESTION.job_id),
    ]
    assert len({token(question=question) for question in (QUESTION, *others)}) == 5


def test_a_token_that_has_expired_or_is_another_providers_or_another_secrets_is_refused() -> None:
    assert URLS.read("apollo", token(), END - timedelta(seconds=1)) is not None
    assert URLS.read("apollo", token(), END) is None
    assert URLS.read("hunter", token(), NOW) is None
    assert URLS.read("apollo", token(CallbackUrls("https://x.example", b"n" * 32)), NOW) is None
    assert URLS.read("apollo", token(CallbackUrls("https://x.example", b"m" * 32)), NOW) is not None


def test_no_single_character_can_be_changed() -> None:
    good = token()
    for index, letter in enumerate(good):
        other = good[:index] + ("A" if letter != "A" else "B") + good[index + 1 :]
        assert URLS.read("apollo", other, NOW) is None


@pytest.mark.parametrize(
    "strange", ["", "A", "=" * 140, "A" * 140, "A" * 139, "A" * 144, "é" * 140, token() + "=", "\0"]
)
def test_what_is_no_token_is_refused(strange: str) -> None:
    assert URLS.read("apollo", strange, NOW) is None
    assert URLS.read("\ud800", token(), NOW) is None
