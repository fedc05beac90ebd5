"""Profiles on LinkedIn, X (Twitter) and Facebook, whether given as address or as handle."""

import re
from typing import Any
from urllib.parse import unquote

from enrichment.normalize.text import Refused, tidy, visible
from enrichment.normalize.url import LONGEST_URL, split_url

_LINKEDIN_HOST = re.compile(r"(?:[a-z]{2,3}\.)?(?:www\.)?linkedin\.com")
_LINKEDIN_PATH = re.compile(r"/?(in|pub|company|school|showcase)/([^/?#]+)")
_TWITTER_HOST = re.compile(r"(?:www\.|mobile\.|m\.)?(?:twitter|x)\.com")
_FACEBOOK_HOST = re.compile(r"(?:[a-z-]{1,5}\.)?(?:facebook\.com|fb\.com|fb\.me)")
_HANDLE = re.compile(r"@?([A-Za-z0-9_]{1,15})")
_SLUG = re.compile(r"[\w%&.'’-]{1,100}")


def _slug(text: str) -> str:
    slug = visible(unquote(text)).strip().lower()
    if not _SLUG.fullmatch(slug):
        raise Refused("not a profile")
    return slug


def _linkedin(raw: Any, bare: str, kinds: tuple[str, ...], otherwise: str) -> str | None:
    text = tidy(raw, LONGEST_URL)
    if text is None:
        return None
    path = _LINKEDIN_PATH.match(text.lower())
    if path is None and re.fullmatch(r"@?[\w-]+", text):
        return f"https://www.linkedin.com/{bare}/{_slug(text.lstrip('@'))}"
    if path is None:
        host, rest = split_url(text)
        if not _LINKEDIN_HOST.fullmatch(host):
            raise Refused("not a LinkedIn address")
        path = _LINKEDIN_PATH.match(rest.lower())
        if path is None:
            raise Refused("not a LinkedIn profile")
    kind = "in" if path[1] == "pub" else path[1]
    if kind not in kinds:
        raise Refused(otherwise)
    return f"https://www.linkedin.com/{kind}/{_slug(path[2])}"


def canonical_linkedin_person(raw: Any) -> str | None:
    """`https://www.linkedin.com/in/…`; None when empty. Raises Refused."""
    return _linkedin(raw, "in", ("in",), "a company's LinkedIn page, not a person's")


def canonical_linkedin_company(raw: Any) -> str | None:
    """`https://www.linkedin.com/company/…` (or school, showcase); None when empty. Raises Refused."""
    return _linkedin(
        raw, "company", ("company", "school", "showcase"), "a person's LinkedIn page, not a company's"
    )


def canonical_twitter_handle(raw: Any) -> str | None:
    """The handle in lower case without `@`; None when empty. Raises Refused."""
    text = tidy(raw, LONGEST_URL)
    if text is None:
        return None
    match = _HANDLE.fullmatch(text)
    if match is None:
        host, path = split_url(text)
        if not _TWITTER_HOST.fullmatch(host):
            raise Refused("not a Twitter address")
        match = _HANDLE.fullmatch(path.partition("?")[0].strip("/").partition("/")[0])
    if match is None:
        raise Refused("not a Twitter handle")
    return match[1].lower()


def canonical_twitter_url(raw: Any) -> str | None:
    """`https://x.com/handle`; None when empty. Raises Refused."""
    handle = canonical_twitter_handle(raw)
    return None if handle is None else f"https://x.com/{handle}"


def canonical_facebook(raw: Any) -> str | None:
    """`https://www.facebook.com/page`; None when empty. Raises Refused."""
    text = tidy(raw, LONGEST_URL)
    if text is None:
        return None
    if re.fullmatch(r"@?[\w.-]+", text) and not re.search(r"\.(?:com|me)\b", text, re.I):
        return f"https://www.facebook.com/{_slug(text.lstrip('@'))}"
    host, path = split_url(text)
    if not _FACEBOOK_HOST.fullmatch(host):
        raise Refused("not a Facebook address")
    profile = re.match(r"/profile\.php\?(?:.*&)?id=(\d+)", path)
    if profile:
        return f"https://www.facebook.com/{profile[1]}"
    parts = [p for p in path.partition("?")[0].split("/") if p]
    if parts and parts[0] in ("pg", "p"):
        parts.pop(0)
    if parts and parts[0] == "pages":
        parts = parts[-1:]
    if not parts:
        raise Refused("not a Facebook page")
    return f"https://www.facebook.com/{_slug(parts[0])}"
