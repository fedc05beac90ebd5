"""What an operation selects of a list, as those who read its rows need to know it."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode, SelectionNode

from models.db.printed import Printed
from models.db.wanted import Wanted
from schema.base.context import Info
from schema.base.views import RowView, Selected

_NODES = (("nodes",), ("edges", "node"))


def wanted_nodes(info: Info, view: RowView[Any, Any]) -> Wanted:
    """What the operation needs of each row of the connection that this field answers."""
    return _wanted(info, view, _NODES)


def printed_nodes(info: Info, view: RowView[Any, Any]) -> Wanted | Printed:
    """As `wanted_nodes`, to be printed by the database where all of it can be and the answer may hold such lists.

    What cannot be printed is known once the document has been answered for the first time.
    """
    wanted, context = wanted_nodes(info, view), info.context
    if not context.takes_printed or context.plans is None:
        return wanted
    printed: Printed | None = context.plans.printed_nodes(info._raw_info, view, wanted)
    return printed or wanted


def wanted_items(info: Info, view: RowView[Any, Any]) -> Wanted:
    """What the operation needs of the row, or of each row of the list, that this field answers."""
    return _wanted(info, view, ((),))


def wanted_of(info: Info, view: RowView[Any, Any], *path: str) -> Wanted:
    """What the operation needs of the row, or of each row of the list, that the answer shows under these fields."""
    return _wanted(info, view, (path,))


def _wanted(info: Info, view: RowView[Any, Any], paths: tuple[tuple[str, ...], ...]) -> Wanted:
    raw = info._raw_info
    plans = info.context.plans
    key = (id(view), *(id(node) for node in raw.field_nodes))
    if plans is not None and key in plans.wanted:
        return cast("Wanted", plans.wanted[key])
    inside: dict[str, Any] = {}
    for node in raw.field_nodes:
        _add(inside, node.selection_set.selections if node.selection_set else (), raw.fragments)
    selected: dict[str, Any] = {}
    for path in paths:
        _merge(selected, _within(inside, path))
    found = view.wanted(selected)
    if plans is not None:
        plans.wanted[key] = found
    return found


def _add(
    found: dict[str, Any], selections: Iterable[SelectionNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> None:
    """The fields of a selection. What directives leave out counts too: it may be read, and is not shown."""
    for selection in selections:
        if isinstance(selection, FieldNode):
            inner = found.setdefault(selection.name.value, {})
            if selection.selection_set:
                _add(inner, selection.selection_set.selections, fragments)
        elif isinstance(selection, InlineFragmentNode):
            _add(found, selection.selection_set.selections, fragments)
        elif isinstance(selection, FragmentSpreadNode):
            _add(found, fragments[selection.name.value].selection_set.selections, fragments)


def _within(selected: Selected, path: tuple[str, ...]) -> Selected:
    for name in path:
        selected = selected.get(name, {})
    return selected


def _merge(into: dict[str, Any], more: Selected) -> None:
    for name, inner in more.items():
        _merge(into.setdefault(name, {}), inner)
