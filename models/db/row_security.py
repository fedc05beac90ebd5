"""Row-level security of PostgreSQL: the API's role sees one organization at a time, the worker's role all of them.

It is a second wall: every statement names its organization anyway, and one that does not finds nothing under the API's
role. The owner of the tables, who migrates, is bound by nothing; an installation that uses one role for everything
has no roles to keep apart, and runs as it does without.
"""

from dataclasses import dataclass

from models.db.acting import SETTING, bind_to
from models.db.connection import close, connect, dialect
from models.db.distribute import KEY
from models.db.health import ping
from models.db.statements import execute, query
from models.db.transaction import Transaction, unit_of_work

_ONE, _EVERY = "one_organization", "every_organization"  # the policies of every table of a tenant
_TENANTS = "organization"
_LOCK_TIMEOUT_MS = 200


class CannotSeparate(Exception):
    """The roles cannot be kept apart; the message says why."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Names of two roles of PostgreSQL: the API's, and that of workers, which sees all organizations."""

    api: str
    worker: str


async def connect_by_role(url: str, *, pool: int, behind_pooler: bool) -> None:
    """Open the process's connections, which travel with what they act for where the role is bound.

    Raises what the driver raises where the database does not answer.
    """
    bind_to(None)
    await connect(url, pool=pool, behind_pooler=behind_pooler)
    if dialect() == "sqlite":
        await ping()
    elif (roles := await read_roles()) is not None:
        [row] = await query(
            f"SELECT row_security_active('{_TENANTS}') AS checked, pg_has_role(CAST(? AS text), 'USAGE') AS is_api",
            [roles.api],
        )
        if row["checked"] and row["is_api"]:
            await close()
            bind_to(roles.worker)
            await connect(url, pool=pool, behind_pooler=behind_pooler)
        else:
            bind_to(None, rows_are_checked=row["checked"])


async def read_roles() -> Roles | None:
    """The two roles that the policies name; None where the roles are not kept apart."""
    sql = (
        "SELECT one.polroles[1]::regrole::text AS api, every.polroles[1]::regrole::text AS worker"
        " FROM pg_policy one JOIN pg_policy every ON every.polrelid = one.polrelid"
        f" WHERE one.polrelid = to_regclass('{_TENANTS}') AND one.polname = '{_ONE}' AND every.polname = '{_EVERY}'"
    )
    found = await query(sql)
    return Roles(**{name: _unquoted(role) for name, role in found[0].items()}) if found else None


async def tables_without_policies() -> list[str]:
    """Tables of tenants that a bound role would see the rows of all organizations in, or of none."""
    sql = f"""SELECT c.relname AS name FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND (c.relname = '{_TENANTS}' OR EXISTS (SELECT 1 FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attname = '{KEY}' AND NOT a.attisdropped))
        AND NOT (c.relrowsecurity AND 2 = (SELECT COUNT(*) FROM pg_policy p
             WHERE p.polrelid = c.oid AND p.polname IN ('{_ONE}', '{_EVERY}')))
        ORDER BY 1"""
    return [row["name"] for row in await query(sql)]


async def separate(roles: Roles) -> list[str]:
    """Make the roles where they are not there, grant them what they need, and bind the API's by policies.

    Returns the tables that had none. Done again, it makes up for tables that have come since. Raises CannotSeparate.
    """
    if dialect() == "sqlite":
        raise CannotSeparate("only PostgreSQL has row-level security: set AUTO_ENRICHMENT_DATABASE_URL")
    if roles.api == roles.worker:
        raise CannotSeparate("the API and the worker need a role each")
    there = await read_roles()
    if there not in {None, roles}:
        raise CannotSeparate(f"the policies are for {there.api} and {there.worker} already")
    await _make_roles(roles)
    await _grant(roles)
    without = await tables_without_policies()
    for table in without:
        await _protect(table, roles)
    return without


async def protect_new_tables() -> None:
    """Where roles are kept apart, grant and protect what a migration has added."""
    if dialect() == "postgresql" and (roles := await read_roles()) is not None:
        await separate(roles)


@unit_of_work
async def _make_roles(tx: Transaction, roles: Roles) -> None:
    known = "SELECT 1 AS known FROM pg_roles WHERE rolname = ?"
    # Without BYPASSRLS, which a superuser alone may give, a policy lets the worker's rows pass, at a small cost.
    [maker] = await query("SELECT rolsuper FROM pg_roles WHERE rolname = current_user", using=tx)
    for name, kind in (
        (roles.worker, "LOGIN BYPASSRLS" if maker["rolsuper"] else "LOGIN"),
        (roles.api, "LOGIN NOINHERIT"),
    ):
        if not await query(known, [name], using=tx):
            await execute(f"CREATE ROLE {_quoted(name)} {kind}", using=tx)
    [row] = await query("SELECT rolinherit FROM pg_roles WHERE rolname = ?", [roles.api], using=tx)
    if row["rolinherit"]:
        await execute(f"ALTER ROLE {_quoted(roles.api)} NOINHERIT", using=tx)
    # The API becomes the worker for what is the service's own, such as its metrics, and inherits nothing of it.
    if not await query(
        "SELECT 1 AS known FROM pg_auth_members WHERE roleid = CAST(? AS regrole) AND member = CAST(? AS regrole)",
        [_quoted(roles.worker), _quoted(roles.api)],
        using=tx,
    ):
        await execute(f"GRANT {_quoted(roles.worker)} TO {_quoted(roles.api)}", using=tx)


@unit_of_work
async def _grant(tx: Transaction, roles: Roles) -> None:
    """Rights on every table but the bookkeeping of migrations; on no partition, which has no policy of its own."""
    both = f"{_quoted(roles.api)}, {_quoted(roles.worker)}"
    [schema] = await query("SELECT quote_ident(current_schema()) AS name", using=tx)
    await execute(f"GRANT USAGE ON SCHEMA {schema['name']} TO {both}", using=tx)
    await execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema['name']} TO {both}", using=tx)
    sql = (
        "SELECT quote_ident(relname) AS name, starts_with(relname, 'schema_migration') AS kept FROM pg_class"
        " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"
    )
    for table in await query(sql, using=tx):
        rights = "SELECT" if table["kept"] else "SELECT, INSERT, UPDATE, DELETE"
        await execute(f"GRANT {rights} ON {table['name']} TO {both}", using=tx)


@unit_of_work
async def _protect(tx: Transaction, table: str, roles: Roles) -> None:
    key = "id" if table == _TENANTS else KEY
    # Read once a statement and not once a row.
    own = f"{key} = (SELECT current_setting('{SETTING}', true))"
    await execute(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}", using=tx)
    for name in (_ONE, _EVERY):
        await execute(f"DROP POLICY IF EXISTS {name} ON {_quoted(table)}", using=tx)
    await execute(f"CREATE POLICY {_ONE} ON {_quoted(table)} TO {_quoted(roles.api)} USING ({own})", using=tx)
    await execute(f"CREATE POLICY {_EVERY} ON {_quoted(table)} TO {_quoted(roles.worker)} USING (true)", using=tx)
    await execute(f"ALTER TABLE {_quoted(table)} ENABLE ROW LEVEL SECURITY", using=tx)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
