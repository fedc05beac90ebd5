"""Which values, written to a record, would bring an erased person or company back: alone, or by what they make up.

The marks are those of `enrichment.erasure`, looked for in every text of a value: an address in a description counts as
one in `email`. A full name counts with the employer of the record: where both are known and differ, it is a namesake's.
Only what is new brings somebody back; a value that the record holds already does not.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment.catalogue import FieldKind, fields_of, is_equivalent
from enrichment.cell_identifiers import earlier_identifiers
from enrichment.cell_texts import cell_texts
from enrichment.enums import EntityType
from enrichment.erasure import (
    ANY_EMPLOYER,
    NAME,
    NO_EMPLOYER,
    PERSON,
    Mark,
    domains_of,
    employers_of,
    names_of,
    person_mark,
    scope_of,
)
from enrichment.identity import TELLING_KINDS, Identifier, IdentifierKind, identifiers, is_shared
from enrichment.json_texts import texts_in
from enrichment.normalize.names.company_name import core_name
from enrichment.person_names import full_name_of_text, full_names, full_names_in_text, is_name_field

# What an answer about a person tells of the company: no personal data.
OF_COMPANY = frozenset({"company", "companyDomain", "website", "industry", "numberOfEmployees", "annualRevenue"})
_PROSE = frozenset({FieldKind.TITLE, FieldKind.DESCRIPTION, FieldKind.TEXT, FieldKind.LIST})
_WRITTEN_OTHERWISE_BEFORE = frozenset({FieldKind.LINKEDIN_PERSON, FieldKind.LINKEDIN_COMPANY})
# A text without any of this names no mailbox, profile or line.
_MAY_NAME = re.compile(r"@|%40|\uff20|linkedin|\bat\b|(?:[0-9][^0-9A-Za-z]{0,4}){7}", re.I)
_PIECE = 300  # characters of a long text that are read at once
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ShownMark:
    """A mark that a record would show, and the new values, by field, that it would show it by.

    No field: it only tells whether the name is the erased one's. `telling`: a value whose field is for such a mark.
    `nameless`: the record's name is not whose mark it would be, so that it counts as one without a name.
    """

    mark: Mark
    fields: frozenset[str] = _NONE
    telling: bool = False
    nameless: bool = False


@dataclass(frozen=True, slots=True)
class ErasedMark:
    """A mark that an erased record has left. `shared`: others may have it; `named`: the record had a name."""

    erasure_id: str
    shared: bool
    named: bool


def new_values(entity_type: EntityType, held: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that a record does not hold yet, in any spelling."""
    known = fields_of(entity_type)
    return {
        name: value
        for name, value in values.items()
        if value is not None
        and held.get(name) != value
        and not (name in known and held.get(name) is not None and is_equivalent(entity_type, name, held[name], value))
    }


def shown_marks(entity_type: EntityType, held: Mapping[str, Any], new: Mapping[str, Any]) -> list[ShownMark]:
    """The marks that a record with the fields `held` would show once the `new` values stand beside them."""
    after = {**held, **new}
    found = [ShownMark(mark) for mark in names_of(entity_type, after)]
    country = {"country": after["country"]} if isinstance(after.get("country"), str) else {}
    for name, value in new.items():
        telling = _kind(entity_type, name) in TELLING_KINDS
        for identifier in _identifiers(entity_type, name, value, country):
            found += [ShownMark(mark, frozenset({name}), telling) for mark in _marks_of(entity_type, identifier)]
    if entity_type is EntityType.ACCOUNT:
        found += _lines_in_texts(new, after, country)
        sites = {name: new[name] for name in ("domain", "website") if name in new}
        for name in sites:
            found += [
                ShownMark(Mark(IdentifierKind.DOMAIN, scope_of(entity_type), site, sure=True), frozenset({name}), True)
                for site in domains_of({name: new[name]})
            ]
    else:
        found += _of_whole_person(held, new, after)
    return [*found, *_of_prose(entity_type, new, after)]


def fields_that_bring_back(
    entity_type: EntityType, new: Iterable[str], shown: Mapping[ShownMark, Sequence[ErasedMark]], *, has_name: bool
) -> dict[str, str]:
    """The new values that would bring somebody back, by field, each with the id of the erasure.

    `shown`: the marks that the record would show and an erased one has left; `has_name`: it would have a name. An
    answer with a mark that is nobody else's, or that goes with the same name, is about the erased person, and so is all
    that it tells of a person.
    """
    of_names = [(mark, left) for mark, others in shown.items() for left in others if mark.mark.kind in {NAME, PERSON}]
    same_name = {left.erasure_id for _, left in of_names}
    found: dict[str, str] = {}
    about: str | None = None
    for shows, others in shown.items():
        for left in others:
            is_hers = (shows.mark.sure and not left.shared) or left.erasure_id in same_name
            if not shows.fields or not (is_hers or not left.named or not has_name or shows.nameless):
                continue
            found |= dict.fromkeys(shows.fields, left.erasure_id)
            if is_hers and shows.telling:
                about = left.erasure_id
    if about is not None:
        of_company = OF_COMPANY if entity_type is not EntityType.ACCOUNT else _NONE
        found = dict.fromkeys((name for name in new if name not in of_company), about) | found
    return found


def _kind(entity_type: EntityType, name: str) -> FieldKind | None:
    known = fields_of(entity_type).get(name)
    return None if known is None else known.kind


def _identifiers(entity_type: EntityType, name: str, value: Any, country: Mapping[str, str]) -> Iterator[Identifier]:
    """What a value names: read as its field, where that is for identifiers, or else as any text."""
    kind = _kind(entity_type, name)
    if kind in TELLING_KINDS:
        yield from identifiers(entity_type, {**country, name: value})
        if kind in _WRITTEN_OTHERWISE_BEFORE:
            yield from identifiers(entity_type, earlier_identifiers(entity_type, {name: value}))
        return
    pieces = [piece for text in texts_in(value) if _MAY_NAME.search(text) for piece in _pieces(text)]
    if pieces:
        yield from identifiers(entity_type, {**country, "": pieces})


def _pieces(text: str) -> Iterator[str]:
    """The parts of a text, long or short, that may each name somebody."""
    split = text.split()
    piece: list[str] = []
    for word in split if len(text) > _PIECE else (text,):
        piece.append(word)
        if sum(map(len, piece)) >= _PIECE:
            yield from _of_piece(" ".join(piece))
            piece = piece[-4:]  # a phone number may go on in the next part
    yield from _of_piece(" ".join(piece))


def _of_piece(piece: str) -> Iterator[str]:
    yield piece
    yield from cell_texts(piece)


def _marks_of(entity_type: EntityType, identifier: Identifier) -> Iterator[Mark]:
    """The marks of an identifier. An account may tell of a person: by a mailbox or profile, not by its own line."""
    if identifier.kind is IdentifierKind.DOMAIN:
        return
    is_own = not is_shared(identifier)
    yield Mark(identifier.kind.value, scope_of(entity_type), identifier.value, sure=is_own)
    if entity_type is EntityType.ACCOUNT and is_own:
        yield Mark(identifier.kind.value, scope_of(EntityType.CONTACT), identifier.value, sure=True)


def _lines_in_texts(
    new: Mapping[str, Any], after: Mapping[str, Any], country: Mapping[str, str]
) -> Iterator[ShownMark]:
    """The phone lines in an account's texts, which may be a person's, where they are not the company's own."""
    own = set(identifiers(EntityType.ACCOUNT, {**country, "phone": after["phone"]})) if "phone" in after else set()
    for name, value in new.items():
        if _kind(EntityType.ACCOUNT, name) in TELLING_KINDS:
            continue
        for identifier in _identifiers(EntityType.ACCOUNT, name, value, country):
            if identifier.kind is IdentifierKind.PHONE and identifier not in own:
                mark = Mark(identifier.kind.value, scope_of(EntityType.CONTACT), identifier.value, sure=False)
                yield ShownMark(mark, frozenset({name}), nameless=True)


def _of_whole_person(held: Mapping[str, Any], new: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[ShownMark]:
    """The full names and employers that new values make up, with those values."""
    names = frozenset(name for name in new if is_name_field(name))
    before, employers_before, employers = full_names(held), employers_of(held), employers_of(after)
    for key in full_names(after):
        of_name = _NONE if key in before else names
        if not employers or of_name:
            yield ShownMark(person_mark(key, NO_EMPLOYER if employers else ANY_EMPLOYER), of_name, True)
        for employer in employers:
            of_employer = frozenset(
                name
                for name, value in new.items()
                if employer not in employers_before and employer in employers_of({name: value})
            )
            yield ShownMark(person_mark(key, employer), of_name | of_employer, True)


def _of_prose(entity_type: EntityType, new: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[ShownMark]:
    """The full names that stand in texts about something else (a title, a description, tags), or are all of a value."""
    if entity_type is EntityType.ACCOUNT:
        name = after.get("name")
        employers = (domains_of(after) | ({core_name(name)} if isinstance(name, str) else set())) - {""}
    else:
        employers = employers_of(after)
    for name, value in new.items():
        kind = _kind(entity_type, name)
        if kind in TELLING_KINDS or kind is FieldKind.PERSON_NAME:
            continue
        read = full_names_in_text if kind in _PROSE else full_name_of_text
        keys = {key for text in texts_in(value) for key in read(text)}
        for employer in employers or {ANY_EMPLOYER}:
            yield from (ShownMark(person_mark(key, employer), frozenset({name})) for key in keys)
