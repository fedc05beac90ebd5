"""Profiles on social networks, and lists of words."""

from typing import Any

import pytest

from enrichment.normalize.contact.social import (
    canonical_facebook,
    canonical_linkedin_company,
    canonical_linkedin_person,
    canonical_twitter_handle,
    canonical_twitter_url,
)
from enrichment.normalize.text.listing import canonical_list, list_key
from enrichment.normalize.text.text import Refused


@pytest.mark.parametrize(
    "raw",
    [
        "https://www.linkedin.com/in/jane-doe",
        "http://linkedin.com/in/Jane-Doe/",
        "uk.linkedin.com/in/jane-doe?trk=x",
        "www.linkedin.com/in/jane-doe/details/experience",
        "in/jane-doe",
        "/in/jane-doe",
        "jane-doe",
        "@jane-doe",
    ],
)
def test_a_persons_linkedin_page(raw: str) -> None:
    assert canonical_linkedin_person(raw) == "https://www.linkedin.com/in/jane-doe"


@pytest.mark.parametrize(
    "raw",
    [
        "https://de.linkedin.com/company/acme/about/",
        "linkedin.com/company/ACME",
        "company/acme",
        "acme",
        "https://www.linkedin.com/company-beta/acme/",
    ],
)
def test_a_companys_linkedin_page(raw: str) -> None:
    assert canonical_linkedin_company(raw) == "https://www.linkedin.com/company/acme"


def test_a_linkedin_name_is_readable() -> None:
    assert canonical_linkedin_person("linkedin.com/in/j%C3%BCrgen") == "https://www.linkedin.com/in/jürgen"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("https://www.linkedin.com/company/acme", "a company's LinkedIn page"),
        ("https://www.linkedin.com/feed/", "not the address of a LinkedIn profile"),
        ("https://www.linkedin.com/sales/lead/abc", "not the address of a LinkedIn profile"),
        ("https://evil.com/in/jane", "not a LinkedIn address"),
        ("https://linkedin.com.evil.com/in/jane", "not a LinkedIn address"),
        ("https://www.linkedin.com/in/%00", "not a profile"),
        ("javascript:alert(1)", "a javascript: address"),
        ("Jane Doe", "not a web address"),
        (True, "true or false"),
    ],
)
def test_what_is_no_persons_linkedin_page_is_refused(raw: Any, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        canonical_linkedin_person(raw)


def test_a_persons_page_is_not_a_companys() -> None:
    with pytest.raises(Refused, match="a person's LinkedIn page"):
        canonical_linkedin_company("linkedin.com/in/jane")


@pytest.mark.parametrize(
    "raw", ["@Acme", "acme", "https://twitter.com/Acme", "x.com/acme?s=20", "https://mobile.twitter.com/acme/status/1"]
)
def test_a_twitter_handle(raw: str) -> None:
    assert canonical_twitter_handle(raw) == "acme"
    assert canonical_twitter_url(raw) == "https://x.com/acme"


@pytest.mark.parametrize(
    "raw",
    [
        "https://twitter.com/intent/tweet",
        "https://twitter.com/",
        "https://facebook.com/acme",
        "a_handle_far_too_long",
        "two words",
    ],
)
def test_what_is_no_twitter_handle_is_refused(raw: str) -> None:
    with pytest.raises(Refused):
        canonical_twitter_handle(raw)


@pytest.mark.parametrize(
    ("raw", "url"),
    [
        ("https://www.facebook.com/Acme/?ref=x", "https://www.facebook.com/acme"),
        ("m.facebook.com/acme", "https://www.facebook.com/acme"),
        ("fb.com/acme", "https://www.facebook.com/acme"),
        ("de-de.facebook.com/acme", "https://www.facebook.com/acme"),
        ("@acme", "https://www.facebook.com/acme"),
        ("https://www.facebook.com/profile.php?id=123", "https://www.facebook.com/123"),
        ("https://www.facebook.com/pages/Acme/123", "https://www.facebook.com/123"),
        ("https://www.facebook.com/pg/acme/about", "https://www.facebook.com/acme"),
    ],
)
def test_a_facebook_page(raw: str, url: str) -> None:
    assert canonical_facebook(raw) == url


@pytest.mark.parametrize(
    "raw", ["https://www.facebook.com/", "https://www.facebook.com/sharer.php?u=x", "https://acme.com/acme"]
)
def test_what_is_no_facebook_page_is_refused(raw: str) -> None:
    with pytest.raises(Refused):
        canonical_facebook(raw)


@pytest.mark.parametrize(
    ("raw", "items"),
    [
        (["Python", " python ", "Go"], ["Python", "Go"]),
        ("Python, Go; Rust | C++\nJava", ["Python", "Go", "Rust", "C++", "Java"]),
        ('["Python", "Go"]', ["Python", "Go"]),
        (["Python", None, "", "n/a"], ["Python"]),
        ("Python", ["Python"]),
        ([5], ["5"]),
        (5, ["5"]),
        ([], None),
        ("", None),
        ("n/a", None),
        (None, None),
    ],
)
def test_a_list_holds_distinct_words(raw: Any, items: list[str] | None) -> None:
    assert canonical_list(raw) == items


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ([["a"]], "a list"),
        ([{"a": 1}], "an object"),
        ({"a": 1}, "an object"),
        ([True], "true or false"),
        (["=1+1"], "a spreadsheet formula"),
        (["<script>x</script>"], "markup"),
        (["a" * 300], "longer than"),
        ([str(n) for n in range(501)], "more than 500 items"),
    ],
)
def test_what_is_no_list_is_refused(raw: Any, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        canonical_list(raw)


def test_lists_are_compared_as_sets() -> None:
    assert list_key(["Go", "Python"]) == list_key(["python", "GO"])
    assert list_key(["Go"]) != list_key(["Go", "Python"])
