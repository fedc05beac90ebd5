"""Plain text: one line, or a description with its paragraphs."""

from typing import Any

from enrichment.normalize.text.text import has_markup, refuse_markup, tidy


def canonical_text(raw: Any, longest: int = 500) -> str | None:
    """One line of plain text; None when empty. Raises Refused."""
    text = tidy(raw, longest)
    if text is not None:
        refuse_markup(text)
    return text


def canonical_description(raw: Any) -> str | None:
    """Text with its paragraphs; None when empty. Raises Refused, also for markup that was written as entities."""
    text = tidy(raw, lines=True)
    if text is not None and isinstance(raw, str) and not has_markup(raw):
        refuse_markup(text)
    return text
