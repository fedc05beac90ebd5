"""Which fields of an object of the API are copied from which attributes, and whether those may be None."""

import ast
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from importlib import import_module
from textwrap import dedent
from types import ModuleType, NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from tortoise.models import Model


@dataclass(frozen=True, slots=True)
class CopiedField:
    name: str
    may_be_null: bool
    source_may_be_none: bool


def classes_of(package: ModuleType) -> list[type]:
    """The classes that a package's modules define."""
    found: list[type] = []
    for module_info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = import_module(module_info.name)
        found += [
            item for item in vars(module).values() if inspect.isclass(item) and item.__module__ == module.__name__
        ]
    return found


def copied_fields(cls: type, names: tuple[str, ...]) -> Iterator[CopiedField]:
    """What `of` of this class copies, of its fields of these names; nothing where it copies nothing."""
    explicit = _values_beside_a_copy(cls)
    if explicit is None:
        return
    hints = get_type_hints(cls, include_extras=True)
    source = _source_of(cls)
    for name in names:
        if name not in explicit:
            yield CopiedField(name, is_optional(hints[name]), attribute_may_be_none(source, name))


def _values_beside_a_copy(cls: Any) -> set[str] | None:
    """The fields that `of` gives a value of their own; None where it does not copy."""
    if "of" not in vars(cls):
        return None
    tree = ast.parse(dedent(inspect.getsource(cls.of)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"copied", "cls.copied"}:
            return {keyword.arg or "" for keyword in node.keywords}
    return None


def _source_of(cls: Any) -> Any:
    """The class whose attributes are copied: what the parameter that `copied` is given is annotated with."""
    function = cls.of.__func__
    tree = ast.parse(dedent(inspect.getsource(function)))
    call = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"copied", "cls.copied"}
    )
    argument = next(item for item in call.args if ast.unparse(item) != "cls")
    return get_type_hints(function).get(ast.unparse(argument))


def attribute_may_be_none(source: Any, name: str) -> bool:
    if isinstance(source, type) and issubclass(source, Model) and name in source._meta.fields_map:
        return bool(source._meta.fields_map[name].null)
    if is_dataclass(source) and name in (hints := get_type_hints(source)):
        return is_optional(hints[name])
    return False  # a property: its type is checked where it is written


def is_optional(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return is_optional(get_args(hint)[0])
    return get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint)
