"""What an undo does to one field: which value goes, which comes back, or why it is left as it is.

An undo names some of the values that enrichment wrote. It touches a field only where such a value is the current
one, and goes back past all of them to the last value that is not named, or to the empty field. A value that an undo
restored counts as the original. A decision in review is taken back in the same way.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from enrichment.enums import HUMAN_SOURCES, SOURCE_CRM, SOURCE_REVIEWER


class UndoSkipReason(StrEnum):
    """Why an undo left a field as it is."""

    CHANGED_BY_CRM = "changed_by_crm"
    CHANGED_BY_REVIEWER = "changed_by_reviewer"
    CHANGED_BY_ENRICHMENT = "changed_by_enrichment"  # a later value that the undo does not name
    ALREADY_UNDONE = "already_undone"
    ERASED = "erased"  # what would come back is of a person who was erased


@dataclass(frozen=True, slots=True)
class Version:
    """One value that a field has had. `replaces` is the one before it, None where the field had none.

    `restores` is the value that was put back as this one.
    """

    id: str
    value: Any
    source: str
    job_id: str | None
    written_at: datetime
    is_current: bool
    replaces: str | None = None
    restores: str | None = None

    @property
    def is_enrichments(self) -> bool:
        return self.source not in HUMAN_SOURCES


@dataclass(frozen=True, slots=True)
class Restoration:
    """`removed` is the current value (None: the field is empty), `target` what comes back (None: it is emptied).

    `passed` are enrichment's own values between the two, the current one first: all of them go.
    """

    removed: Version | None
    target: Version | None
    passed: tuple[Version, ...] = ()


@dataclass(frozen=True, slots=True)
class SkippedField:
    """`current` is what the field holds; None: nothing."""

    because: UndoSkipReason
    current: Version | None


Named = Callable[[Version], bool]


def undo_field(versions: Sequence[Version], is_named: Named) -> Restoration | SkippedField | None:
    """What becomes of a field whose whole history is `versions`; None when the undo names none of its values."""
    by_id = {version.id: version for version in versions}
    written = (version for version in versions if version.is_enrichments and version.restores is None)
    named = {version.id for version in written if is_named(version)}
    if not named:
        return None
    current = next((version for version in versions if version.is_current), None)
    if current is None or _origin(current, by_id).id not in named:
        last = max(
            (version for version in versions if _origin(version, by_id).id in named),
            key=lambda version: (version.written_at, version.id),
        )
        return SkippedField(_replaced_by(last, versions), current)
    passed: list[Version] = []
    target: Version | None = _origin(current, by_id)
    while target is not None and target.id in named:
        passed.append(target)
        target = _before(target, by_id)
    return Restoration(current, target, tuple(passed))


def redo_field(
    versions: Sequence[Version], removed_id: str | None, restored_id: str | None
) -> Restoration | SkippedField:
    """How to revert an undo that replaced `removed_id` by `restored_id`. None is an empty field; never both are."""
    by_id = {version.id: version for version in versions}
    current = next((version for version in versions if version.is_current), None)
    if (None if current is None else current.id) == restored_id:
        target = None if removed_id is None else _origin(by_id[removed_id], by_id)
        return Restoration(current, target, _between(current, target, by_id))
    return SkippedField(_replaced_by(by_id[restored_id or removed_id or ""], versions), current)


def take_back_field(versions: Sequence[Version], decided: Collection[str]) -> Restoration | SkippedField | None:
    """What becomes of a field when the decision that wrote the values with the `decided` ids is taken back.

    None where it wrote none. Decisions on one question that follow each other restore what was before each.
    """
    by_id = {version.id: version for version in versions}
    written = [version for version in versions if _origin(version, by_id).id in decided]
    if not written:
        return None
    current = next((version for version in versions if version.is_current), None)
    if current is None or current not in written:
        last = max(written, key=lambda version: (version.written_at, version.id))
        return SkippedField(_replaced_by(last, versions), current)
    return Restoration(current, _before(_origin(current, by_id), by_id))


def _between(current: Version | None, target: Version | None, by_id: Mapping[str, Version]) -> tuple[Version, ...]:
    """Enrichment's own values from the current one back to before the target; nothing where it is no earlier value."""
    found: list[Version] = []
    version = None if current is None else _origin(current, by_id)
    while version is not None and version.is_enrichments and (target is None or version.id != target.id):
        found.append(version)
        version = _before(version, by_id)
    reached = version is None if target is None else version is not None and version.id == target.id
    return tuple(found if reached else found[:1])


def _before(version: Version, by_id: Mapping[str, Version]) -> Version | None:
    """What the field held before, as it was first written; None: nothing."""
    before = by_id.get(version.replaces or "")
    return None if before is None else _origin(before, by_id)


def _origin(version: Version, by_id: Mapping[str, Version]) -> Version:
    while version.restores is not None and version.restores in by_id:
        version = by_id[version.restores]
    return version


def _replaced_by(version: Version, versions: Iterable[Version]) -> UndoSkipReason:
    """Who ended this version, which is not current."""
    successor = next((other for other in versions if other.replaces == version.id), None)
    if successor is None or successor.restores is not None:
        return UndoSkipReason.ALREADY_UNDONE
    if successor.source == SOURCE_CRM:
        return UndoSkipReason.CHANGED_BY_CRM
    if successor.source == SOURCE_REVIEWER:
        return UndoSkipReason.CHANGED_BY_REVIEWER
    return UndoSkipReason.CHANGED_BY_ENRICHMENT
