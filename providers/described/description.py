"""The description of an HTTP provider of an operator's own: what its JSON may say, checked before it is used."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.parser import ParsedResult
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from enrichment.enums import EntityType

# What a template may name beside fields: the company's domain and name, wherever the record has them, and
# `crm.x` for a field `x` of the CRM that the catalogue does not know.
DERIVED = frozenset({"companyDomain", "companyName", "fullName"})
OWN_FIELD = "crm."
PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9_.]*)\}")
KEY = "{key}"
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # the name of a header, as HTTP defines it
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_CLIENTS_OWN = frozenset({"host", "content-length", "transfer-encoding", "connection"})


def _expression(raw: Any) -> ParsedResult:
    if not isinstance(raw, str):
        raise ValueError("should be a text: a JMESPath expression")
    try:
        parsed = jmespath.compile(raw)
    except JMESPathError as error:
        raise ValueError(f"is no JMESPath expression: {str(error).splitlines()[0]}") from error
    unknown = sorted({name for name in _functions(parsed.parsed) if name not in Functions.FUNCTION_TABLE})
    if unknown:
        raise ValueError(f"is no JMESPath expression: there is no function {unknown[0]}()")
    return parsed


def _functions(node: Any) -> Iterator[str]:
    """The functions that an expression calls, also where it would seldom come to it."""
    if isinstance(node, dict):
        if node.get("type") == "function_expression":
            yield node["value"]
        for child in node.get("children", ()):
            yield from _functions(child)


def _header_name(name: str) -> str:
    if not _TOKEN.fullmatch(name) or name.lower() in _CLIENTS_OWN:
        raise ValueError("is not the name of a header that can be set")
    return name


def _header_value(value: str) -> str:
    if not _PRINTABLE.fullmatch(value):
        raise ValueError("holds characters that a header cannot")
    return value


Expression = Annotated[ParsedResult, BeforeValidator(_expression)]
_HeaderName = Annotated[str, AfterValidator(_header_name)]
_HeaderValue = Annotated[str, AfterValidator(_header_value)]
_Confidence = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
_Days = Annotated[int, Field(ge=0, le=3650)]


class _Part(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True
    )


class RequestTemplate(_Part):
    """What is sent. The address, and every text in the body, may hold placeholders such as `{domain}`."""

    method: Literal["GET", "POST"] = "GET"
    url: str
    headers: dict[_HeaderName, _HeaderValue] = {}
    body: Any = None

    @model_validator(mode="after")
    def _check(self) -> "RequestTemplate":
        if self.body is not None and self.method == "GET":
            raise ValueError("a body can only be sent by POST")
        return self


class Auth(_Part):
    """The header that holds the key, and how: `Bearer {key}`."""

    header: _HeaderName
    value: _HeaderValue = KEY

    @model_validator(mode="after")
    def _check(self) -> "Auth":
        if self.value.count(KEY) != 1:
            raise ValueError(f"value should hold {KEY} once")
        return self


class Reading(_Part):
    """Where a field stands in the answer, and the confidence in it where that is another than the description's."""

    value: Expression
    confidence: _Confidence | None = None

    @model_validator(mode="before")
    @classmethod
    def _accept_bare_expression(cls, raw: Any) -> Any:
        return {"value": raw} if isinstance(raw, str) else raw


class Identity(_Part):
    """Where the answer says whom it is about, so that one about somebody else is refused."""

    domain: Expression | None = None
    email: Expression | None = None
    name: Expression | None = None


class Description(_Part):
    """One provider."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
    name: Annotated[str, Field(min_length=1, max_length=80)]
    entity_types: Annotated[list[Annotated[EntityType, Field(strict=False)]], Field(min_length=1)]
    request: RequestTemplate
    auth: Auth | None = None
    needs: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    match: Expression | None = None
    fields: Annotated[dict[str, Reading], Field(min_length=1)]
    identity: Identity = Identity()
    observed_at: Expression | None = None
    consumed: Expression | None = None
    opt_out: Expression | None = None
    no_match_status: list[Annotated[int, Field(ge=200, le=499)]] = [404]
    price: Annotated[int, Field(ge=0, le=10_000)] = 0
    confidence: _Confidence = 0.8
    calls_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 60
    answer_lifetime_days: _Days = 30
    miss_lifetime_days: _Days = 7
    attribution: Annotated[str, Field(max_length=200)] = ""


@dataclass(frozen=True, slots=True)
class Address:
    """A URL template in parts: where it is, which is fixed, and the path and query that hold placeholders."""

    base: str
    path: str
    query: tuple[tuple[str, str], ...]


def address_of(url: str) -> Address:
    """The parts of a template. Raises ValueError, whose text says what is wrong."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        raise ValueError("is not a web address") from error
    if parts.scheme not in {"https", "http"} or not host:
        raise ValueError("should be an https address")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError("should be https: plain http goes to this machine only")
    if "@" in parts.netloc or "{" in parts.netloc:
        raise ValueError("should name its host as it is: no placeholder, user or password")
    if parts.fragment:
        raise ValueError("should have no #fragment")
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    if len({name for name, _ in query}) < len(query):
        raise ValueError("names a query parameter twice")
    return Address(f"{parts.scheme}://{parts.netloc}", parts.path or "/", query)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def templates(value: Any) -> Iterator[str]:
    """Every text of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from templates(item)
