"""Reads query parameters, and names every fault at once."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from starlette.requests import Request

from resolvers.errors import BadRequest, Fault
from resolvers.paging import MAX_SIZE, PageArgs

ALL = "all"
DEFAULT_LIMIT = 50
MOST_FAULTS = 20  # unknown names that are listed
# An offset's `+`, sent without percent-encoding, arrives as a blank.
_BLANK_OFFSET = re.compile(r"(?<=T)(.+) (\d\d(?::?\d\d)?)$")

E = TypeVar("E", bound=StrEnum)


def refuse_unknown(request: Request, known: Sequence[str]) -> None:
    """Raises BadRequest naming every query parameter that the route does not have."""
    unknown = [
        name for name in dict.fromkeys(name for name, _ in request.query_params.multi_items()) if name not in known
    ]
    message = f"unknown; known are {', '.join(known)}" if known else "unknown; this route has no query parameters"
    if unknown:
        faults = [Fault(name[:64], message) for name in unknown[:MOST_FAULTS]]
        raise BadRequest("; ".join(f"{fault.path}: {fault.message}" for fault in faults), faults=faults)


class QueryParameters:
    """The parameters of one request. Each reader notes faults; `check` raises them together.

    A name given twice is a fault, as no choice between them would be right.
    """

    def __init__(self, request: Request) -> None:
        self._given: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            self._given.setdefault(name, []).append(value)
        self._faults: list[Fault] = []

    def check(self) -> None:
        """Raises BadRequest if any reader found a fault."""
        if self._faults:
            message = "; ".join(f"{fault.path}: {fault.message}" for fault in self._faults)
            raise BadRequest(message, faults=self._faults)

    def choices(self, name: str, kind: type[E], *, required: bool = False) -> tuple[E, ...] | None:
        """The members in a comma-separated list, in any case; () for `all`, None where absent."""
        accepted = f"accepted are {', '.join(kind)} and {ALL}"
        text = self._value(name)
        if text is None or not text.strip():
            if text is not None or required:
                self._fault(name, f"{'required' if text is None else 'empty'}; {accepted}")
            return None
        members: Mapping[str, E] = {member.value: member for member in kind}
        words = [word.strip().lower() for word in text.split(",")]
        unknown = [word for word in words if word not in members and word != ALL]
        if unknown:
            self._fault(name, f"unknown value {unknown[0][:40]!r}; {accepted}")
            return None
        return () if ALL in words else tuple(dict.fromkeys(members[word] for word in words))

    def choice(self, name: str, kind: type[E], default: E) -> E:
        """One member, in any case; the default where absent. `all` is none."""
        text = self._value(name)
        if text is None:
            return default
        members: Mapping[str, E] = {member.value: member for member in kind}
        word = text.strip().lower()
        if word not in members:
            found = f"unknown value {word[:40]!r}" if word else "empty"
            self._fault(name, f"{found}; accepted is one of {', '.join(kind)}")
        return members.get(word, default)

    def page(self) -> PageArgs:
        """Where to begin and how many, from `limit` and `cursor`."""
        limit = self._value("limit")
        size = DEFAULT_LIMIT
        if limit is not None:
            size = int(limit) if re.fullmatch(r"[0-9]{1,4}", limit) else 0
            if not 1 <= size <= MAX_SIZE:
                self._fault("limit", f"must be a whole number from 1 to {MAX_SIZE}")
        return PageArgs(first=size, after=self._value("cursor"))

    def seconds(self, name: str, most: int) -> int:
        """Whole seconds; 0 where absent."""
        text = self._value(name) or "0"
        if not re.fullmatch(r"[0-9]{1,4}", text) or int(text) > most:
            self._fault(name, f"must be a whole number of seconds from 0 to {most}")
            return 0
        return int(text)

    def text(self, name: str) -> str | None:
        """The text as it is; None where absent or empty."""
        return self._value(name) or None

    def flag(self, name: str) -> bool:
        """`true` or `false`; false where absent."""
        text = (self._value(name) or "false").strip().lower()
        if text not in {"true", "false"}:
            self._fault(name, "must be true or false")
        return text == "true"

    def moment(self, name: str) -> datetime | None:
        """An ISO 8601 date (its first moment) or time; UTC unless it says otherwise."""
        text = self._value(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(_BLANK_OFFSET.sub(r"\1+\2", text.strip()))
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            self._fault(name, "must be an ISO 8601 date or time, such as 2026-11-01 or 2026-11-01T00:00:00Z")
            return None

    def _value(self, name: str) -> str | None:
        values = self._given.get(name, [])
        if len(values) > 1:
            self._fault(name, "given more than once")
        return values[0] if values else None

    def _fault(self, path: str, message: str) -> None:
        self._faults.append(Fault(path, message))
