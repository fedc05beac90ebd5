"""What a role allows, by name: what a client may offer its user."""

from collections.abc import Mapping
from enum import StrEnum

from resolvers.context import Context, Role


class Permission(StrEnum):
    """Something that a user may do. Operations check the role themselves; a test holds both together."""

    READ = "read"
    SEND_RECORDS = "send_records"
    ENRICH = "enrich"
    HANDLE_JOBS = "handle_jobs"
    RESOLVE_CONFLICTS = "resolve_conflicts"
    SIMULATE = "simulate"
    PAUSE = "pause"
    CHANGE_CONFIG = "change_config"
    UNDO = "undo"
    GRANT_CREDITS = "grant_credits"
    SUPPRESS = "suppress"
    ERASE = "erase"
    VERIFY_LEDGER = "verify_ledger"
    MANAGE_KEYS = "manage_keys"
    MANAGE_WEBHOOKS = "manage_webhooks"


_BY_ROLE: Mapping[Role, tuple[Permission, ...]] = {
    Role.VIEWER: (Permission.READ,),
    Role.USER: (
        Permission.SEND_RECORDS,
        Permission.ENRICH,
        Permission.HANDLE_JOBS,
        Permission.RESOLVE_CONFLICTS,
        Permission.SIMULATE,
    ),
    Role.MANAGER: (Permission.PAUSE, Permission.CHANGE_CONFIG, Permission.UNDO),
    Role.ADMIN: (
        Permission.GRANT_CREDITS,
        Permission.SUPPRESS,
        Permission.ERASE,
        Permission.VERIFY_LEDGER,
        Permission.MANAGE_KEYS,
        Permission.MANAGE_WEBHOOKS,
    ),
}


def permissions_of(ctx: Context) -> list[Permission]:
    """What the caller may do."""
    role = ctx.require(Role.VIEWER).role
    return [allowed for needed, all_allowed in _BY_ROLE.items() if role.covers(needed) for allowed in all_allowed]
