"""The suppression list: whom no provider is asked about. It holds keyed hashes, never a value."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from enrichment.catalogue import Refused, earlier_form, normalize
from enrichment.enums import EntityType, SuppressionKind
from enrichment.identity import Identifier, IdentifierKind, domain, identifiers, mailbox, phone_line
from models.db.columns import new_id
from models.db.transaction import Transaction, unit_of_work
from models.record.search import every_record
from models.suppression import (
    NewSuppression,
    OwnedHash,
    Suppression,
    SuppressionId,
    add_suppressions,
    listed,
    remove_suppressions,
    suppression_page,
)
from resolvers.audit import note_change
from resolvers.context import Context, Role, Services
from resolvers.errors import Fault, Unavailable, ValidationFailed
from resolvers.keyed_hash import KeyedHash, KeyLost, keyed_hash_of
from resolvers.organizations import organization_of
from resolvers.paging import Page, PageArgs, check_id
from resolvers.suppression.check import suppressible
from resolvers.validation import check_text

MOST_VALUES = 1000
LONGEST_VALUE = 1000  # characters
MAX_NOTE = 500


@dataclass(frozen=True, slots=True)
class Values:
    """What a caller names, in any spelling. `country` tells how to read a phone number without a country code."""

    emails: Sequence[str] = ()
    domains: Sequence[str] = ()
    phones: Sequence[str] = ()
    country: str | None = None


@dataclass(frozen=True, slots=True)
class SuppressOutcome:
    """What was put on the list, how much of it was there before, and how many records it concerns now."""

    added: int
    known: int
    records: int


async def suppress(ctx: Context, values: Values, *, note: str | None = None) -> SuppressOutcome:
    """Ask no provider about these from now on. Nothing that is stored is removed; erasing does that.

    A mailbox covers all spellings of its address; a domain, or a host below one, the websites, e-mail addresses and
    hosts at it and below it.
    Raises ValidationFailed with every fault, and stores nothing then.
    """
    caller = ctx.require(Role.ADMIN)
    organization_id, services = caller.organization_id, ctx.services
    wanted = _read(values)
    _check_note(note, wanted)
    now = services.now()
    await organization_of(organization_id, services.registry, now)
    keyed_hash = await readable_hash_of(ctx.services)
    items = [
        NewSuppression(
            id=new_id(),
            organization_id=organization_id,
            kind=SuppressionKind(identifier.kind.value),
            hash=keyed_hash.of(organization_id, identifier.kind, identifier.value),
            note=note,
            added_at=now,
            added_by=caller.user,
        )
        for identifier in sorted(wanted)
    ]
    added = await _add(ctx, items)
    return SuppressOutcome(added, len(items) - added, await _records_with(organization_id, wanted))


@unit_of_work
async def _add(tx: Transaction, ctx: Context, items: Sequence[NewSuppression]) -> int:
    added = await add_suppressions(tx, items)
    if added:
        await note_change(tx, ctx, "suppression.added", added[0].id, _counts(added))
    return len(added)


async def unsuppress(ctx: Context, values: Values, *, ids: Sequence[str] = ()) -> int:
    """Take these off the list, by value in any spelling or by the ids that `list_suppressions` shows.

    What an earlier version put there, which read some spellings otherwise, is found where today's form is not there.

    Returns how many were on it.
    """
    caller = ctx.require(Role.ADMIN)
    organization_id = caller.organization_id
    if len(ids) > MOST_VALUES:
        raise ValidationFailed("too many ids", faults=[Fault("ids", f"at most {MOST_VALUES}")])
    ids = [check_id(text, path=f"ids[{index}]") for index, text in enumerate(ids)]
    wanted = _read(values, required=not ids)
    keyed_hash = await readable_hash_of(ctx.services)

    def hash_of(identifier: Identifier) -> str:
        return keyed_hash.of(organization_id, identifier.kind, identifier.value)

    hashes = {identifier: hash_of(identifier) for identifier in sorted(wanted)}
    on_list = {owned.hash for owned in await listed({OwnedHash(organization_id, text) for text in hashes.values()})}
    before = [then for today, then in _as_before(values).items() if hashes[today] not in on_list]
    return await _remove(ctx, organization_id, [*hashes.values(), *map(hash_of, before)], ids)


@unit_of_work
async def _remove(
    tx: Transaction, ctx: Context, organization_id: str, hashes: Sequence[str], ids: Sequence[str]
) -> int:
    removed = await remove_suppressions(tx, organization_id, hashes=hashes, ids=ids)
    if removed:
        await note_change(tx, ctx, "suppression.removed", removed[0].id, _counts(removed))
    return len(removed)


async def list_suppressions(ctx: Context, kind: SuppressionKind | None, args: PageArgs) -> Page[Suppression]:
    """What is on the list, newest first, without the values."""
    caller = ctx.require(Role.ADMIN)
    return await suppression_page(caller.organization_id, kind, args.keyset("suppressions"))


async def readable_hash_of(services: Services) -> KeyedHash:
    """The installation's hashes. Raises Unavailable where their key cannot be read."""
    try:
        return await keyed_hash_of(services)
    except KeyLost as error:
        raise Unavailable(f"the list cannot be read: {error}", retry_after=3600) from error


def _counts(entries: Sequence[SuppressionId]) -> dict[str, int]:
    return dict(Counter(entry.kind.value for entry in entries))


def _read(values: Values, *, required: bool = True) -> set[Identifier]:
    """What the values mean. Raises ValidationFailed with every fault; no fault repeats a value."""
    given = len(values.emails) + len(values.domains) + len(values.phones)
    if given > MOST_VALUES:
        raise ValidationFailed("too many values", faults=[Fault("", f"at most {MOST_VALUES} at once")])
    if not given and required:
        raise ValidationFailed("nothing is named", faults=[Fault("", "name e-mails, domains or phones")])
    faults: list[Fault] = []
    country = _country(values.country, faults)
    found: set[Identifier] = set()
    found.update(_each(values.emails, "emails", IdentifierKind.EMAIL, mailbox, faults))
    found.update(_each(values.domains, "domains", IdentifierKind.DOMAIN, domain, faults))
    found.update(_each(values.phones, "phones", IdentifierKind.PHONE, lambda raw: phone_line(raw, country), faults))
    if faults:
        raise ValidationFailed("not everything that was named can be read", faults=faults)
    return found


def _as_before(values: Values) -> dict[Identifier, Identifier]:
    """What earlier versions read otherwise, as they did, by what it is today."""
    hints = {"country": _country(values.country, [])}
    texts = {"email": values.emails, "companyDomain": values.domains, "phone": values.phones}
    found: dict[Identifier, Identifier] = {}
    for name, (kind, read) in _READ.items():
        for text in texts[name]:  # none is too long: `_read` has refused those
            before = earlier_form(EntityType.CONTACT, name, text, hints=hints)
            today, then = read(text, hints["country"]), None if before is None else read(before, None)
            if today is not None and then is not None:
                found[Identifier(kind, today)] = Identifier(kind, then)
    return found


_READ: Mapping[str, tuple[IdentifierKind, Callable[[str, str | None], str | None]]] = {
    "email": (IdentifierKind.EMAIL, lambda text, _: mailbox(text)),
    "companyDomain": (IdentifierKind.DOMAIN, lambda text, _: domain(text)),
    "phone": (IdentifierKind.PHONE, phone_line),
}


def _country(raw: str | None, faults: list[Fault]) -> str | None:
    try:
        country: str | None = normalize(EntityType.CONTACT, "country", raw)
        return country
    except Refused as refusal:
        faults.append(Fault("country", str(refusal)))
        return None


def _each(
    texts: Sequence[str], path: str, kind: IdentifierKind, read: Callable[[str], str | None], faults: list[Fault]
) -> Iterator[Identifier]:
    for index, text in enumerate(texts):
        if len(text) > LONGEST_VALUE:
            faults.append(Fault(f"{path}[{index}]", f"at most {LONGEST_VALUE} characters"))
            continue
        try:
            value = read(text)
        except Refused as refusal:
            faults.append(Fault(f"{path}[{index}]", str(refusal)))
            continue
        if value is None:
            faults.append(Fault(f"{path}[{index}]", "is empty or a placeholder"))
        else:
            yield Identifier(kind, value)


def _check_note(note: str | None, wanted: Collection[Identifier]) -> None:
    """The list forgets the values that are put on it; a note must not remember them."""
    if note is None:
        return
    check_text(note, "note", longest=MAX_NOTE)
    named = {
        identifier for word in (note, *note.split()) for identifier in identifiers(EntityType.CONTACT, {"note": word})
    }
    if not named.isdisjoint(identifier for identifier in wanted if identifier.kind is not IdentifierKind.DOMAIN):
        raise ValidationFailed("the note repeats a value", faults=[Fault("note", "must not repeat what is suppressed")])


async def _records_with(organization_id: str, wanted: Collection[Identifier]) -> int:
    """How many records of the organization hold any of these."""
    sought = frozenset(wanted)
    counted = 0
    async for record in every_record(organization_id):
        counted += not sought.isdisjoint(suppressible(record.entity_type, record.fields, record.raw_values))
    return counted
