"""One request to a provider: what is asked for, how it is written as HTTP, and where a redirect may lead it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode, urljoin

import orjson
from yarl import URL

from providers.api import ProviderError

_UNQUOTED = "/%:@!$&'()*+,;=~?"  # what the path of a request may hold as it is, beside letters and digits


@dataclass(frozen=True, slots=True)
class Request:
    """One request. What may hold a key is left out of its text form."""

    method: str
    base: str
    path: str
    params: Mapping[str, str] | None = field(default=None, repr=False)
    json: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request as it is sent."""

    method: str
    url: URL = field(repr=False)  # which may hold a key
    headers: dict[str, str] = field(repr=False)
    content: bytes | None = field(repr=False)


def prepared(request: Request, user_agent: str) -> PreparedRequest:
    """The request as it is sent. Raises ProviderError, and ValueError for an address that is none."""
    if request.path and not request.path.startswith("/"):
        raise ProviderError("rejected", "the path of a request begins with /", retryable=False)
    headers = {"user-agent": user_agent, "accept-encoding": "gzip, deflate"}
    content: bytes | None = None
    if request.json is not None:
        content = orjson.dumps(request.json)
        headers["content-type"] = "application/json"
    elif request.form is not None:
        content = urlencode(request.form).encode("ascii")
        headers["content-type"] = "application/x-www-form-urlencoded"
    if not all(_is_header(value) for value in request.headers.values()):
        # Checked here: an error of the library would hold the value, which may be the key.
        raise ProviderError("rejected", "the request cannot be written as HTTP", retryable=False)
    headers |= {name.lower(): value for name, value in request.headers.items()}
    address = request.base.rstrip("/") + quote(request.path, safe=_UNQUOTED)
    if request.params:
        address += ("&" if "?" in request.path else "?") + urlencode(request.params, quote_via=quote, safe="")
    return PreparedRequest(request.method, URL(address, encoded=True), headers, content)


def _is_header(value: str) -> bool:
    return value.isascii() and value.isprintable() and value == value.strip()


def redirected(request: PreparedRequest, target: str, home: URL) -> PreparedRequest:
    """The request that a redirect asks for. Only GET and HEAD follow one, and only to the same host."""
    if request.method not in {"GET", "HEAD"}:
        raise bad_redirect(f"it redirects a {request.method}")
    try:
        url = URL(urljoin(str(request.url), target)).with_fragment(None)
        origin = url.origin()
    except ValueError:
        raise bad_redirect("it redirects to nowhere") from None
    if origin != home or url.user is not None:
        raise bad_redirect("it redirects to another host")
    return replace(request, url=url, content=None)


def bad_redirect(message: str) -> ProviderError:
    return ProviderError("invalid_answer", message, retryable=False)
