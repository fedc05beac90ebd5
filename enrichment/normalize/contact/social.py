"""Profiles on LinkedIn, X (Twitter) and Facebook, whether given as address or as handle."""

import re
from collections.abc import Container
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from enrichment.normalize.contact.url import LONGEST_URL, split_url
from enrichment.normalize.text.text import Refused, tidy, visible

_LINKEDIN_HOST = re.compile(r"(?:[a-z]{2,3}\.|m\.)?(?:www\.)?linkedin\.com")
_LINKEDIN_PATH = re.compile(r"/*(in|company|company-beta|school|showcase)/([^/?#]+)", re.I)
# An id that LinkedIn made, in base64: it means nobody in other letters.
_LINKEDIN_ID = re.compile(r"AC[wo](?:AA[\w-]{8,}|(?=\w*[0-9])(?=\w*[A-Z])(?=\w*[a-z])\w{12,})", re.ASCII)
_TWITTER_HOST = re.compile(r"(?:www\.|mobile\.|m\.)?(?:twitter|x)\.com")
_FACEBOOK_HOST = re.compile(r"(?:[a-z-]{1,6}\.)?(?:facebook\.com|fb\.com|fb\.me)")
_FACEBOOK_ID = re.compile(r"/profile\.php\?(?:[^#]*&)?id=([0-9]+)")
# What stands before the page, by how many parts of the path are left out.
_FACEBOOK_PARENTS = {"pg": 1, "p": 1, "pages": 2, "people": 2}
_HANDLE = re.compile(r"@?([A-Za-z0-9_]{1,15})")
_BARE = re.compile(r"@?[\w-]{2,100}")
_SLUG = re.compile(r"[\w&.'\u2019,-]{1,100}")
_TWITTER_PAGES = frozenset(
    {"home", "share", "intent", "search", "i", "login", "signup", "hashtag", "explore", "settings"}
)
_FACEBOOK_PAGES = frozenset({"sharer", "sharer.php", "login", "login.php", "groups", "events", "watch", "share"})


def _slug(text: str, taken: Container[str] = ()) -> str:
    if _LINKEDIN_ID.fullmatch(text):
        return text
    slug = visible(unquote(text)).strip().lower()
    if not _SLUG.fullmatch(slug) or slug in taken or not any(map(str.isalnum, slug)):
        raise Refused("not a profile")
    return visible(slug)


@lru_cache(16384)
def _linkedin(text: str, bare: str, kinds: tuple[str, ...], otherwise: str) -> str:
    path = _LINKEDIN_PATH.match(text)
    if path is None and _BARE.fullmatch(text):
        return f"https://www.linkedin.com/{bare}/{_slug(text.lstrip('@'), ('linkedin',))}"
    if path is None:
        host, _, rest = split_url(text)
        if not _LINKEDIN_HOST.fullmatch(host):
            raise Refused("not a LinkedIn address")
        path = _LINKEDIN_PATH.match(rest)
        if path is None:
            raise Refused("not the address of a LinkedIn profile")
    kind = path[1].lower().removesuffix("-beta")
    if kind not in kinds:
        raise Refused(otherwise)
    return f"https://www.linkedin.com/{kind}/{_slug(path[2])}"


def canonical_linkedin_person(raw: Any) -> str | None:
    """`https://www.linkedin.com/in/...`; None when empty. Raises Refused."""
    text = tidy(raw, LONGEST_URL)
    if text is None:
        return None
    return _linkedin(text, "in", ("in",), "a company's LinkedIn page, not a person's")


def canonical_linkedin_company(raw: Any) -> str | None:
    """`https://www.linkedin.com/company/...` (or school, showcase); None when empty. Raises Refused."""
    text = tidy(raw, LONGEST_URL)
    if text is None:
        return None
    kinds = ("company", "school", "showcase")
    return _linkedin(text, "company", kinds, "a person's LinkedIn page, not a company's")


@lru_cache(16384)
def _twitter(text: str) -> str:
    match = _HANDLE.fullmatch(text)
    if match is None:
        host, _, path = split_url(text)
        if not _TWITTER_HOST.fullmatch(host):
            raise Refused("not a Twitter address")
        match = _HANDLE.fullmatch(re.split("[/?#]", path.lstrip("/"), maxsplit=1)[0])
    if match is None or match[1].lower() in _TWITTER_PAGES:
        raise Refused("not a Twitter handle")
    return match[1].lower()


def canonical_twitter_handle(raw: Any) -> str | None:
    """The handle in lower case without `@`; None when empty. Raises Refused."""
    text = tidy(raw, LONGEST_URL)
    return None if text is None else _twitter(text)


def canonical_twitter_url(raw: Any) -> str | None:
    """`https://x.com/handle`; None when empty. Raises Refused."""
    handle = canonical_twitter_handle(raw)
    return None if handle is None else f"https://x.com/{handle}"


@lru_cache(16384)
def _facebook(text: str) -> str:
    if _BARE.fullmatch(text):
        return _slug(text.lstrip("@"), _FACEBOOK_PAGES)
    host, _, path = split_url(text)
    if not _FACEBOOK_HOST.fullmatch(host):
        raise Refused("not a Facebook address")
    number = _FACEBOOK_ID.match(path)
    if number:
        return number[1]
    parts = [part for part in re.split("[?#]", path, maxsplit=1)[0].split("/") if part]
    before = _FACEBOOK_PARENTS.get(parts[0].lower(), 0) if parts else 0
    parts = parts[before:] or parts[1:]
    if not parts:
        raise Refused("not a Facebook page")
    return _slug(parts[0], _FACEBOOK_PAGES)


def canonical_facebook(raw: Any) -> str | None:
    """`https://www.facebook.com/page`; None when empty. Raises Refused."""
    text = tidy(raw, LONGEST_URL)
    return None if text is None else f"https://www.facebook.com/{_facebook(text)}"
