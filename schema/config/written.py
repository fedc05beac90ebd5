"""Faults of a configuration by the paths of GraphQL's input, in which objects by name are lists."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from resolvers.errors import Fault, ValidationFailed
from schema.config.input import ConfigInput

_BY_TYPE = re.compile(r"(fieldPolicies|payFor)\.(\w+)(?:\.(fields|most)\.([^.]+))?(.*)", re.DOTALL)


@contextmanager
def faults_as_written(input: ConfigInput) -> Iterator[None]:
    """Names the faults of a refused configuration by their paths in this input.

    What is wrong with the configuration as it was before keeps its path there.
    """
    try:
        yield
    except ValidationFailed as error:
        faults = [Fault(_written(input, fault.path), fault.message) for fault in error.faults]
        raise ValidationFailed(error.message, faults=faults, **error.details) from error


def _written(input: ConfigInput, path: str) -> str:
    """`fieldPolicies[0].fields[1].minConfidence` for `fieldPolicies.lead.fields.city.minConfidence`."""
    parts = _BY_TYPE.fullmatch(path)
    if parts is None:
        return path
    key, kind, group, name, rest = parts.groups()
    sent: list[Any] = (input.field_policies if key == "fieldPolicies" else input.pay_for) or []
    of_kind = [(index, part) for index, part in enumerate(sent) if part.entity_type.value == kind]
    if not of_kind:
        return path
    if name is None:
        return f"{key}[{of_kind[-1][0]}]{rest}"
    for index, part in reversed(of_kind):
        items = getattr(part, group) or []
        for place in reversed(range(len(items))):
            if items[place].field == name:
                return f"{key}[{index}].{group}[{place}]{rest}"
    return path
