"""What is wrong with a part of a configuration, in words of our own: the library's change with its versions."""

from collections.abc import Mapping
from typing import Any

_PLAIN: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "unknown key",
    "finite_number": "must be a finite number",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "must be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "must be a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
    **dict.fromkeys(("string_type", "string_unicode"), "must be a text"),
    **dict.fromkeys(("list_type", "tuple_type"), "must be a list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "must be an object"),
}
_WITH_BOUND: Mapping[str, str] = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
}
_OUR_OWN = "Value error, "  # what the library puts before what our validators say


def message_of(fault: Mapping[str, Any]) -> str:
    """The words for a fault as Pydantic lists it (`type`, `msg`, `ctx`)."""
    kind = fault["type"]
    if kind in _WITH_BOUND:
        return _WITH_BOUND[kind].format(**{name: _plain(bound) for name, bound in fault["ctx"].items()})
    if kind == "value_error":
        return str(fault["msg"]).removeprefix(_OUR_OWN)
    return _PLAIN.get(kind, "cannot be read as what this key holds")


def _plain(bound: Any) -> Any:
    """A bound as a person writes it: 1, not 1.0."""
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound
