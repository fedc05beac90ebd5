"""Addresses whose form is beyond doubt are read at a glance, and as they would be by all rules."""

import random
from collections.abc import Callable

import pytest

from enrichment.normalize.contact import email, url
from enrichment.normalize.text.text import Refused

SUFFIXES = [
    *("com", "de", "co.uk", "test", "local", "onion", "arpa", "example", "xyz", "ab", "c0m", "museum"),
    *("lan", "internal", "wordpress.com", "github.io"),
]
STARTS = ["", "www.", "w.", "https://", "http://", "HTTPS://", "http.", "htp://", "tp.", "ftp.", "localhost.", "mail."]


def answer(read: Callable[[str], str], text: str) -> str:
    try:
        return read(text)
    except Refused as refusal:
        return f"refused: {refusal}"


def test_plain_emails_are_what_the_library_makes_of_them() -> None:
    drawn, taken = random.Random(5), 0  # noqa: S311 -- texts to try, no secrets
    for _ in range(8_000):
        local = "".join(drawn.choices("ab1-._+", k=drawn.randint(1, 9)))
        text = f"{local}@{''.join(drawn.choices('ab-.1x', k=drawn.randint(1, 7)))}.{drawn.choice(SUFFIXES)}"
        plain = email._plain(text)
        if plain is not None:
            taken += 1
            assert answer(email._by_library, text) == plain
    assert taken > 1_000


@pytest.mark.parametrize(
    "text", ["EMAIL_not_unlocked@acme.com", "a@b@c.com", "a@acme.local", "ä@acme.com", "a@xn--a.com"]
)
def test_what_is_in_doubt_is_left_to_the_library(text: str) -> None:
    assert email._plain(text) is None


def test_plain_hosts_are_what_all_rules_make_of_them() -> None:
    drawn, taken = random.Random(5), 0  # noqa: S311 -- texts to try, no secrets
    for _ in range(8_000):
        host = "".join(drawn.choices("abh-.1xp", k=drawn.randint(0, 8)))
        text = f"{drawn.choice(STARTS)}{drawn.choice(STARTS)}{host}.{drawn.choice(SUFFIXES)}{drawn.choice(['', '/'])}"
        if url._PLAIN.fullmatch(text):
            taken += 1
            assert answer(url._website, text) == answer(url._by_parts, text)
    assert taken > 1_000
