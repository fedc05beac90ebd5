"""Bodies that are nearly what a route takes: with a value replaced, left out or repeated, or with bytes changed."""

import copy
import json
import random
from typing import Any

from tests.service.fuzz.boundaries import JSONS, MOMENTS, NUMBERS, ODD, TEXTS

VALUES = [*TEXTS, *NUMBERS, *MOMENTS, *JSONS, *ODD]


def broken_body(example: Any, chance: random.Random) -> bytes:
    """The example with one thing wrong with it, or with nothing wrong."""
    body = copy.deepcopy(example)
    places = list(_places(body))
    if places and chance.random() < 0.8:
        parent, key = chance.choice(places)
        if isinstance(parent, dict) and chance.random() < 0.2:
            del parent[key]
        else:
            parent[key] = chance.choice(VALUES)
    text = bytearray(json.dumps(body).encode())
    if text and chance.random() < 0.3:
        for _ in range(chance.randint(1, 4)):
            where = chance.randrange(len(text))
            text[where : where + chance.randint(0, 2)] = bytes([chance.randrange(256)])
            if not text:
                break
    return bytes(text)


def _places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += [(value, key), *_places(inner)]
    return found
