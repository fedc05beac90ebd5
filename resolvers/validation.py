"""Texts that callers send: bounded, and nothing in them that a database cannot hold."""

from collections.abc import Iterable

from models.record.related import RelatedFilter
from resolvers.errors import Fault, ValidationFailed

MAX_EXTERNAL_ID = 255
MAX_NAME = 255  # of a field or a provider, and in a filter of an id


def check_text(text: str, path: str, *, longest: int) -> str:
    """The text as it is. Raises ValidationFailed when it is longer than `longest` or holds a NUL character."""
    if len(text) > longest:
        raise ValidationFailed(f"{path} is too long", faults=[Fault(path, f"at most {longest} characters")])
    if "\0" in text:
        raise ValidationFailed(f"{path} holds a NUL character", faults=[Fault(path, "holds a NUL character")])
    return text


def check_external_ids(texts: Iterable[str], path: str) -> list[str]:
    """The external ids that a caller looks for, as they are. Raises ValidationFailed with the index of a bad one."""
    return [check_text(text, f"{path}[{index}]", longest=MAX_EXTERNAL_ID) for index, text in enumerate(texts)]


def check_filter(wanted: RelatedFilter, **texts: str | None) -> None:
    """Raises ValidationFailed for ids and other `texts` of a filter (by path) that no row can have."""
    for path, text in {"externalId": wanted.external_id, "recordId": wanted.record_id, **texts}.items():
        if text is not None:
            check_text(text, path, longest=MAX_NAME)
