"""In which format a decision snapshot is stored, and how older formats are read.

`format` says how the rest is laid out: FORMAT is written, and every older format is read. A snapshot without one is of
format 0, which differs in nothing else. A change of the layout takes the next number, and a conversion in
`_CONVERSIONS` from the one before.
"""

from collections.abc import Callable
from typing import Any

import orjson

from enrichment.decide.edition import Edition
from enrichment.packed_json import UnknownPacking, unpack

FORMAT = 3


class UnknownSnapshotFormat(Exception):
    """A snapshot that another version of the service wrote, in a `format` that this one cannot read."""

    def __init__(self, snapshot_format: object) -> None:
        super().__init__(f"decision snapshot of format {snapshot_format}; this version reads 0 to {FORMAT}")
        self.format = snapshot_format


def parse_snapshot(body: str | bytes) -> dict[str, Any]:
    """The JSON value of a snapshot in today's format, from its JSON text or its packed bytes.

    Raises UnknownSnapshotFormat.
    """
    stored: dict[str, Any] = _parse(body)
    found = stored.get("format", 0)
    if type(found) is not int or not 0 <= found <= FORMAT:
        raise UnknownSnapshotFormat(found)
    for convert in _CONVERSIONS[found:]:
        stored = convert(stored)
    return stored


def _parse(body: str | bytes) -> Any:
    if isinstance(body, str):
        return orjson.loads(body)
    try:
        return unpack(body)
    except UnknownPacking as error:
        raise UnknownSnapshotFormat(str(error)) from error


def _from_format_0(stored: dict[str, Any]) -> dict[str, Any]:
    return {"format": 1, **stored}


def _from_format_1(stored: dict[str, Any]) -> dict[str, Any]:
    """Then an arrival was an observation, and confidence did not decay: so it is decided again."""
    current = {name: [*encoded[:4], True, None, *encoded[4:]] for name, encoded in stored["current"].items()}
    return {**stored, "format": 2, "edition": Edition.ARRIVAL.value, "current": current}


def _from_format_2(stored: dict[str, Any]) -> dict[str, Any]:
    """Then every conflict was about a single field, and none names a unit."""
    return {**stored, "format": 3}


# By the format that each converts from, to the next one.
_CONVERSIONS: list[Callable[[dict[str, Any]], dict[str, Any]]] = [_from_format_0, _from_format_1, _from_format_2]
