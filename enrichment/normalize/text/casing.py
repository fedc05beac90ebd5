"""Letters from upper to lower case and back, without leaving half a letter behind."""

import unicodedata

_TURKISH = "\u0130"  # capital I with a dot: in lower case it would be two characters


def lowered(text: str) -> str:
    """The text in lower case; a Turkish dotted capital that begins a word stays one."""
    if _TURKISH not in text:
        return text.lower()
    first, *rest = text.split(_TURKISH)
    kept = first.lower()
    for part in rest:
        inside = kept[-1:].isalpha()
        kept += ("i" if inside else _TURKISH) + part.lower()
    return kept


def composed(text: str) -> str:
    """The text in NFC, which a change of case may have undone."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)
