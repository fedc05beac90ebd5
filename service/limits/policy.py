"""How much may be asked for in a minute, and how many sockets may be open at once: by whom, and where it is set."""

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_network
from typing import Annotated, Any, TypeAlias

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

SECONDS = 60  # in which a limit that is used up is whole again; all of it may be used at once
NO_LIMIT = "none"


class Measure(StrEnum):
    """What is counted."""

    REQUESTS = "requests"
    COST = "cost"  # of GraphQL operations
    SOCKETS = "sockets"


class Subject(StrEnum):
    """Whom it is counted for. A token is the user whom it names: a renewed one is no new allowance."""

    ORGANIZATION = "organization"
    TOKEN = "token"  # noqa: S105 -- a name, not a secret
    ADDRESS = "address"
    OPEN = "open"  # an address, for what comes without a good token


Most: TypeAlias = Mapping[Subject, int]
"""The limits of one measure. Who is missing has none."""

# What an import with all that it may have under way, or a page of many users, comes to is far below these.
MOST_REQUESTS = {
    Subject.ORGANIZATION: 300_000,
    Subject.TOKEN: 150_000,
    Subject.ADDRESS: 300_000,
    Subject.OPEN: 30_000,
}
MOST_COST = {Subject.ORGANIZATION: 240_000_000, Subject.TOKEN: 120_000_000, Subject.ADDRESS: 240_000_000}
MOST_SOCKETS = {Subject.ORGANIZATION: 5_000, Subject.TOKEN: 2_000, Subject.ADDRESS: 4_000}


def read_most(text: str, usual: Most) -> Most:
    """The limits of a setting: `token=600,organization=none` changes these two of the usual ones, `none` lifts all.

    Raises ValueError naming what cannot be read.
    """
    if text.strip().lower() == NO_LIMIT:
        return {}
    most = dict(usual)
    for part in text.split(","):
        name, _, number = (word.strip().lower() for word in part.partition("="))
        if name not in usual:
            raise ValueError(f"{part.strip()}: should be one of {', '.join(usual)}, with a number or {NO_LIMIT}")
        if number == NO_LIMIT:
            most.pop(Subject(name), None)
        elif number.isascii() and number.isdigit() and 0 < len(number) <= 12 and int(number) > 0:
            most[Subject(name)] = int(number)
        else:
            raise ValueError(f"{part.strip()}: should be a number from 1 on, or {NO_LIMIT}")
    return most


def _shown(most: Most) -> str:
    return ",".join(f"{subject}={number}" for subject, number in most.items())


class LimitSettings(BaseSettings):
    """The settings of what each may ask for, and of whom an address is believed."""

    limit_requests: Annotated[Most, NoDecode] = Field(
        MOST_REQUESTS,
        description=f"requests a minute of each; {_shown(MOST_REQUESTS)} where nothing else is named; none: no limit",
    )
    limit_cost: Annotated[Most, NoDecode] = Field(
        MOST_COST, description=f"cost of GraphQL operations a minute, likewise; {_shown(MOST_COST)}"
    )
    limit_sockets: Annotated[Most, NoDecode] = Field(
        MOST_SOCKETS, description=f"WebSockets and streams open at once, likewise; {_shown(MOST_SOCKETS)}"
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        ("127.0.0.1", "::1"),
        description="addresses and networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed;"
        " none: of nobody",
    )

    @field_validator("limit_requests", mode="before")
    @classmethod
    def _read_requests(cls, value: Any) -> Any:
        return read_most(value, MOST_REQUESTS) if isinstance(value, str) else value

    @field_validator("limit_cost", mode="before")
    @classmethod
    def _read_cost(cls, value: Any) -> Any:
        return read_most(value, MOST_COST) if isinstance(value, str) else value

    @field_validator("limit_sockets", mode="before")
    @classmethod
    def _read_sockets(cls, value: Any) -> Any:
        return read_most(value, MOST_SOCKETS) if isinstance(value, str) else value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _read_proxies(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return () if value.strip().lower() == NO_LIMIT else tuple(part.strip() for part in value.split(","))

    @field_validator("trusted_proxies")
    @classmethod
    def _whole_proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in value:
            ip_network(proxy)
        return value
