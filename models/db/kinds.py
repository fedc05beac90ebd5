"""The newest rows of some kinds, without reading the rows of others.

Rows of one kind have the same values in some columns, and lie together in an index that begins with the organization
and these columns and ends with the id, or with the column by which the list is ordered and the id. Each kind gives its
newest, and the newest of these are the page: what is read does not depend on how many rows of other kinds there are,
even where none is found.
"""

from collections.abc import Sequence

from models.db.connection import dialect
from models.db.paging import Keyset
from models.db.where import Where


def newest_of_kinds(
    table: str,
    columns: Sequence[str],
    kinds: Sequence[tuple[str, ...]],
    organization_id: str,
    within: Where,
    keyset: Keyset,
) -> Where:
    """The condition that a row is on the page of the rows of these kinds for which `within` holds.

    A kind is the values of the columns. Of the page are all rows that `keyset` asks for, and one more where there is
    one.
    """
    bounds, order, size = within + keyset.bounds, keyset.order, keyset.size + 1
    shown = "id" if keyset.by is None else f"id, {keyset.by}"
    if dialect() == "sqlite":
        is_of_kind = " AND ".join(f"{column} = ?" for column in columns)
        of_kind = (
            f"SELECT {shown} FROM (SELECT {shown} FROM {table} WHERE organization_id = ? AND {is_of_kind}{bounds.sql}"
            f" ORDER BY {order} LIMIT {size})"
        )
        newest = (
            f"SELECT id FROM ({' UNION ALL '.join([of_kind] * len(kinds))}) AS newest ORDER BY {order} LIMIT {size}"
        )
        values = [value for kind in kinds for value in (organization_id, *kind, *bounds.values)]
    else:
        is_of_kind = " AND ".join(f"{column} = kind.{column}" for column in columns)
        # Said more than once, so that the planner expects fewer rows of a kind. Where all rows are of one kind, it
        # takes every other to be as frequent, and would look for it among all rows, from the newest on. The comparisons
        # hold for whatever the index gives next: one that did not would be no reason for the database to stop there.
        for start in range(len(columns) - 1):
            held = ", ".join(columns[start:])
            kind = ", ".join(f"kind.{column}" for column in columns[start:])
            is_of_kind += f" AND ({held}) {'>=' if keyset.backwards else '<='} ({kind})"
        of_newest = ", ".join(f"newest.{part}" for part in order.split(", "))
        newest = (
            f"SELECT newest.id FROM unnest({', '.join(['?::text[]'] * len(columns))}) AS kind({', '.join(columns)})"
            f" CROSS JOIN LATERAL (SELECT {shown} FROM {table} WHERE organization_id = ? AND {is_of_kind}{bounds.sql}"
            f" ORDER BY {order} LIMIT {size}) AS newest ORDER BY {of_newest} LIMIT {size}"
        )
        values = [*(list(column) for column in zip(*kinds, strict=True)), organization_id, *bounds.values]
    return Where(f" AND id IN ({newest})", tuple(values))
