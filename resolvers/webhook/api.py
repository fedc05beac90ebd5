"""Endpoints of webhooks: made, changed, paused, given another secret, sent back in the log, removed. Admins only."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from enrichment.enums import EntityType
from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.event.cursor import EventCursor
from models.event.kinds import EventKind
from models.event.read import end_of
from models.organization import lock_organization
from models.webhook.delivery import withdraw_after
from models.webhook.endpoint import (
    EndpointRow,
    NewEndpoint,
    add_endpoint,
    change_endpoint,
    delete_endpoint,
    endpoints_of,
    find_endpoint,
    lock_endpoints,
    move_cursor,
    pause_endpoint,
    resume_endpoint,
    rotate_secret,
)
from models.webhook.kinds import WebhookPause
from resolvers.audit import note_change
from resolvers.context import Context, Role
from resolvers.errors import Fault, NotFound, StateConflict, Unavailable, ValidationFailed
from resolvers.events.log import check_cursor
from resolvers.organizations import organization_of
from resolvers.paging import check_id
from resolvers.secret_box import SecretBox
from resolvers.validation import check_text
from resolvers.webhook.addresses import fault_of_url
from resolvers.webhook.secrets import new_secret, seal

MOST_ENDPOINTS = 20  # of an organization
MAX_DESCRIPTION = 500
OVERLAP_HOURS = 24
MOST_OVERLAP_HOURS = 168


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """What an endpoint is to be. None leaves it as it is; an empty list chooses all, an empty description none."""

    url: str | None = None
    description: str | None = None
    kinds: Sequence[EventKind] | None = None
    entity_types: Sequence[EntityType] | None = None


@dataclass(frozen=True, slots=True)
class EndpointWithSecret:
    """An endpoint, and the secret that is shown this once."""

    endpoint: EndpointRow
    secret: str


async def list_endpoints(ctx: Context) -> list[EndpointRow]:
    """The organization's endpoints, oldest first."""
    return await endpoints_of(ctx.require(Role.ADMIN).organization_id)


async def get_endpoint(ctx: Context, endpoint_id: str, *, path: str = "id") -> EndpointRow:
    """One endpoint. Raises NotFound."""
    found = await find_endpoint(ctx.require(Role.ADMIN).organization_id, check_id(endpoint_id, path=path))
    if found is None:
        raise NotFound("no such webhook endpoint")
    return found


async def create_endpoint(ctx: Context, wanted: EndpointChange) -> EndpointWithSecret:
    """Send what changes from now on to an address. The secret is not shown again.

    Raises ValidationFailed with every fault, StateConflict where there are as many as there may be, Unavailable where
    the installation has no encryption key.
    """
    caller, services = ctx.require(Role.ADMIN), ctx.services
    organization_id, now = caller.organization_id, services.now()
    _check(ctx, wanted, needs_url=True)
    box = _box(ctx)
    await organization_of(organization_id, services.registry, now)
    endpoint_id, secret = new_id(), new_secret()
    start = (await end_of(organization_id)).cursor
    await _add(
        ctx,
        NewEndpoint(
            id=endpoint_id,
            organization_id=organization_id,
            url=wanted.url or "",
            description=wanted.description or None,
            kinds=_words(wanted.kinds or ()),
            entity_types=_words(wanted.entity_types or ()),
            secret=seal(box, secret, organization_id, endpoint_id),
            secret_set_at=now,
            cursor_position=start.position,
            cursor_number=start.number,
            cursor_part=start.part,
            served_at=now,
            quiet_until=now,
            created_at=now,
            created_by=caller.user,
        ),
    )
    return EndpointWithSecret(await get_endpoint(ctx, endpoint_id), secret)


@unit_of_work
async def _add(tx: Transaction, ctx: Context, endpoint: NewEndpoint) -> None:
    await lock_organization(tx, endpoint.organization_id)  # of two that come at once one is counted first
    if len(await lock_endpoints(tx, endpoint.organization_id)) >= MOST_ENDPOINTS:
        raise StateConflict(f"an organization has at most {MOST_ENDPOINTS} webhook endpoints", most=MOST_ENDPOINTS)
    await add_endpoint(tx, endpoint)
    details = {"kinds": endpoint.kinds, "entityTypes": endpoint.entity_types}
    await note_change(tx, ctx, "webhook_endpoint.created", endpoint.id, details)


async def update_endpoint(ctx: Context, endpoint_id: str, wanted: EndpointChange) -> EndpointRow:
    """Change its address, description or choice of events, from the next delivery on.

    Raises NotFound, and ValidationFailed with every fault.
    """
    found = await get_endpoint(ctx, endpoint_id)
    _check(ctx, wanted, needs_url=False)
    changed = replace(
        found,
        url=found.url if wanted.url is None else wanted.url,
        description=found.description if wanted.description is None else wanted.description or None,
        kinds=found.kinds if wanted.kinds is None else _words(wanted.kinds),
        entity_types=found.entity_types if wanted.entity_types is None else _words(wanted.entity_types),
    )
    if changed != found:
        names = ("url", "description", "kinds", "entity_types")
        await _change(ctx, changed, [name for name in names if getattr(changed, name) != getattr(found, name)])
    return await get_endpoint(ctx, endpoint_id)


@unit_of_work
async def _change(tx: Transaction, ctx: Context, changed: EndpointRow, names: Sequence[str]) -> None:
    if not await change_endpoint(tx, changed):
        raise NotFound("no such webhook endpoint")
    await note_change(tx, ctx, "webhook_endpoint.changed", changed.id, {"changed": list(names)})


async def pause(ctx: Context, endpoint_id: str) -> EndpointRow:
    """Send nothing more until it is resumed; what happens meanwhile waits in the log. Raises NotFound."""
    found = await get_endpoint(ctx, endpoint_id)
    await _pause(ctx, found)
    return await get_endpoint(ctx, endpoint_id)


@unit_of_work
async def _pause(tx: Transaction, ctx: Context, found: EndpointRow) -> None:
    now = ctx.services.now()
    if await pause_endpoint(tx, found.organization_id, found.id, WebhookPause.BY_USER, now):
        await note_change(tx, ctx, "webhook_endpoint.paused", found.id)


async def resume(ctx: Context, endpoint_id: str) -> EndpointRow:
    """Go on where it was: what waits is sent at once, then what the log has. Raises NotFound."""
    found = await get_endpoint(ctx, endpoint_id)
    await _resume(ctx, found)
    return await get_endpoint(ctx, endpoint_id)


@unit_of_work
async def _resume(tx: Transaction, ctx: Context, found: EndpointRow) -> None:
    if await resume_endpoint(tx, found.organization_id, found.id, ctx.services.now()):
        await note_change(tx, ctx, "webhook_endpoint.resumed", found.id)


async def rotate(ctx: Context, endpoint_id: str, *, overlap_hours: int = OVERLAP_HOURS) -> EndpointWithSecret:
    """Sign with a new secret, which is shown this once, and for the overlap with the present one as well.

    Raises NotFound, ValidationFailed, and Unavailable where the installation has no encryption key.
    """
    found = await get_endpoint(ctx, endpoint_id)
    if not 0 <= overlap_hours <= MOST_OVERLAP_HOURS:
        message = f"must be 0 to {MOST_OVERLAP_HOURS}"
        raise ValidationFailed(f"overlapHours {message}", faults=[Fault("overlapHours", message)])
    secret, now = new_secret(), ctx.services.now()
    sealed = seal(_box(ctx), secret, found.organization_id, found.id)
    await _rotate(ctx, found, sealed, now, now + timedelta(hours=overlap_hours))
    return EndpointWithSecret(await get_endpoint(ctx, endpoint_id), secret)


@unit_of_work
async def _rotate(
    tx: Transaction, ctx: Context, found: EndpointRow, sealed: str, now: datetime, previous_until: datetime
) -> None:
    if not await rotate_secret(tx, found.organization_id, found.id, sealed, now, previous_until):
        raise NotFound("no such webhook endpoint")
    await note_change(tx, ctx, "webhook_endpoint.secret_rotated", found.id)


async def replay(ctx: Context, endpoint_id: str, after: str) -> EndpointRow:
    """Send everything again that came after a cursor of the log (`0`: all that is kept), with the same ids.

    Raises NotFound, BadRequest for what is no cursor, and CursorExpired.
    """
    found = await get_endpoint(ctx, endpoint_id)
    await _replay(ctx, found, await check_cursor(found.organization_id, after))
    return await get_endpoint(ctx, endpoint_id)


@unit_of_work
async def _replay(tx: Transaction, ctx: Context, found: EndpointRow, cursor: EventCursor) -> None:
    if not await move_cursor(tx, found.organization_id, found.id, cursor, ctx.services.now()):
        raise NotFound("no such webhook endpoint")
    await withdraw_after(tx, found.organization_id, found.id, cursor)
    await note_change(tx, ctx, "webhook_endpoint.replayed", found.id, {"after": str(cursor)})


async def delete(ctx: Context, endpoint_id: str) -> None:
    """Remove an endpoint with its deliveries. Raises NotFound."""
    found = await get_endpoint(ctx, endpoint_id)
    await _delete(ctx, found)


@unit_of_work
async def _delete(tx: Transaction, ctx: Context, found: EndpointRow) -> None:
    if not await delete_endpoint(tx, found.organization_id, found.id):
        raise NotFound("no such webhook endpoint")
    await note_change(tx, ctx, "webhook_endpoint.deleted", found.id)


def _check(ctx: Context, wanted: EndpointChange, *, needs_url: bool) -> None:
    if wanted.description is not None:
        check_text(wanted.description, "description", longest=MAX_DESCRIPTION)
    fault = None
    if needs_url or wanted.url is not None:
        fault = fault_of_url(wanted.url or "", ctx.services.webhooks.allowed)
    if fault is not None:
        raise ValidationFailed(f"url {fault}", faults=[Fault("url", fault)])


def _box(ctx: Context) -> SecretBox:
    if ctx.services.secret_box is None:
        raise Unavailable("this installation has no ENCRYPTION_KEY, so it keeps no secrets", retry_after=3600)
    return ctx.services.secret_box


def _words(chosen: Sequence[EventKind] | Sequence[EntityType]) -> list[str]:
    return [member.value for member in dict.fromkeys(chosen)]
