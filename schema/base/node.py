"""What has an id that no other object has, by which clients keep it and ask for it again."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

import strawberry
from graphql import GraphQLError, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema

from resolvers.context import Role
from schema.base.context import Info
from schema.base.scalars import read_time, show_time


@strawberry.interface(
    description="What has an id that no other object has: `node` finds it, and a cache may keep it by its id."
)
class Node:
    id: strawberry.ID


Bounds: TypeAlias = tuple[datetime | None, datetime | None]
"""A period as it was asked for: from, and to."""

NO_BOUNDS: Bounds = (None, None)
_OF_ORGANIZATION = re.compile(r"(config|pipeline|credits|stats)(?:\(([^,()]*),([^,()]*)\))?@(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class OrganizationNode:
    """What an organization has one of, or one for each period that is asked for (`start` and `end` as they were given).

    `kind` is `config`, `pipeline`, `credits` or `stats`.
    """

    kind: str
    organization_id: str
    start: datetime | None = None
    end: datetime | None = None

    @property
    def id(self) -> strawberry.ID:
        """`config@acme`, or of a period `stats(2026-11-01T00:00:00Z,)@acme`."""
        bounds = ("" if moment is None else show_time(moment) for moment in (self.start, self.end))
        period = "" if self.start is None and self.end is None else f"({','.join(bounds)})"
        return strawberry.ID(f"{self.kind}{period}@{self.organization_id}")

    @classmethod
    def read(cls, text: str) -> "OrganizationNode | None":
        """What has this id; None where it is no such id."""
        parts = _OF_ORGANIZATION.fullmatch(text)
        if parts is None:
            return None
        kind, start, end, organization_id = parts.groups()
        try:
            first, last = (read_time(moment) if moment else None for moment in (start, end))
        except GraphQLError:
            return None
        is_period = first is None or last is None or first < last
        return cls(kind, organization_id, first, last) if is_period else None


class _OfPeriod(Protocol):
    asked: Bounds


def id_of_organization(kind: str) -> Callable[[Info], strawberry.ID]:
    """Resolves the id of what the caller's organization has one of."""

    def resolve(info: Info) -> strawberry.ID:
        return OrganizationNode(kind, info.context.require(Role.VIEWER).organization_id).id

    return resolve


def id_of_period(kind: str) -> Callable[[Any, Info], strawberry.ID]:
    """As `id_of_organization`, for what is asked for by periods."""

    def resolve(root: _OfPeriod, info: Info) -> strawberry.ID:
        return OrganizationNode(kind, info.context.require(Role.VIEWER).organization_id, *root.asked).id

    return resolve


def know_types_by_class(schema: GraphQLSchema) -> None:
    """Tell the type of an object by its class.

    Strawberry has each object of a type with an interface looked at whether it is of that type, which its plans
    (`schema.execution.plans`) leave to the library.
    """
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLInterfaceType):
            kind.resolve_type = _type_name
        elif isinstance(kind, GraphQLObjectType) and kind.interfaces:
            kind.is_type_of = None


def _type_name(value: Any, *_: Any) -> str:
    name: str = value.__strawberry_definition__.name
    return name
