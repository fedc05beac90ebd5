"""Records to send: the sample's, as often as needed, each with a name, domain, address and number of its own."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from service.sample.records import sample_records

_OWN_NAME = ("name", "company", "lastName")


@cache
def _sample() -> list[dict[str, Any]]:
    return list(sample_records())


def drawn_records(run: str, count: int) -> Iterator[dict[str, Any]]:
    """As many records, as the CRM would send them; those of one run are the same each time."""
    sample = _sample()
    for number in range(count):
        base = sample[number % len(sample)]
        yield {
            "entityType": base["entityType"],
            "externalId": f"{run}-{number}",
            "fields": _own(base["fields"], number // len(sample), _letters(run, number)),
        }


def _own(fields: dict[str, Any], cycle: int, letters: str) -> dict[str, Any]:
    own = dict(fields)
    for name in _OWN_NAME:
        if isinstance(own.get(name), str):
            own[name] = f"{own[name].rstrip()} {letters}" if name != "lastName" else own[name].rstrip() + letters
    for name, separator in (("website", r"([\w-]+\.\w+(?:/|$|\?))"), ("email", r"@([\w-]+\.)")):
        if isinstance(own.get(name), str):
            own[name] = re.sub(
                separator, lambda found: found[0].replace(found[1], letters + found[1]), own[name], count=1
            )
    if isinstance(own.get("phone"), str):
        digits = f"{cycle % 1000:03d}"
        own["phone"] = re.sub(
            r"\d(\D*)\d(\D*)\d(\D*)$", rf"{digits[0]}\g<1>{digits[1]}\g<2>{digits[2]}\g<3>", own["phone"]
        )
    return own


def _letters(run: str, number: int) -> str:
    number += sum(ord(letter) * 31**place for place, letter in enumerate(run)) % 1_000_000 * 1_000
    found = ""
    while number:
        number, digit = divmod(number, 21)
        found += "bcdfghjklmnpqrstvwxyz"[digit]
    return found
