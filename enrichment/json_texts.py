"""The texts that stand anywhere in a JSON value."""

from collections.abc import Iterator, Mapping
from typing import Any

_MOST_TEXTS = 2000  # of one value
_DEEPEST = 20
_FEWEST_DIGITS = 7


def texts_in(value: Any) -> Iterator[str]:
    """The texts in a JSON value, and numbers that are long enough to be a phone's."""
    left = _MOST_TEXTS
    waiting = [(value, 0)]
    while waiting and left:
        left -= 1
        item, depth = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, int) and not isinstance(item, bool) and abs(item) >= 10**_FEWEST_DIGITS:
            yield str(item)
        elif depth < _DEEPEST and isinstance(item, Mapping):
            waiting += [(part, depth + 1) for pair in item.items() for part in pair]
        elif depth < _DEEPEST and isinstance(item, list | tuple):
            waiting += [(part, depth + 1) for part in item]
