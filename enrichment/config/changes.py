"""Changes of a configuration, in its JSON form."""

from collections.abc import Mapping
from typing import Any


def merge(current: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`changes` laid over `current`: objects key by key, everything else replaced.

    A null in place of a field's own rule takes the rule away.
    """
    merged = dict(current)
    for key, value in changes.items():
        before = merged.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            merged[key] = merge(before, value)
        else:
            merged[key] = value
    return merged


def differences(before: Mapping[str, Any], after: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """What differs between two configurations as JSON: by path (`credits.dailyLimit`), `{from, to}`."""
    found: dict[str, Any] = {}
    for key in [*before, *(key for key in after if key not in before)]:
        path = f"{at}.{key}" if at else key
        old, new = before.get(key), after.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found |= differences(old, new, path)
        elif old != new:
            found[path] = {"from": old, "to": new}
    return found
