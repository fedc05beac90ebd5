"""What people and exports write where there is no value."""

from enrichment.normalize.word_list import read_lines

PLACEHOLDERS = frozenset(line.casefold() for line in read_lines("text", "placeholders.txt"))
JUNK = frozenset(read_lines("text", "keyboard_junk.txt"))
_WRAPPING = " .,;:!?-_*'\"`()[]<>{}/\\|"
_LONGEST = 32


def is_junk(text: str) -> bool:
    """Whether the text is what fingers type into a field that must not be empty: `asdf`, `qwerty`."""
    return text.casefold().strip(_WRAPPING) in JUNK


def is_placeholder(text: str) -> bool:
    """Whether the text only says that there is no value: `n/a`, `-`, `???`, `TBD`, `xxx`."""
    if len(text) > _LONGEST:
        return not any(map(str.isalnum, text))
    folded = text.casefold()
    bare = folded.strip(_WRAPPING)
    if folded in PLACEHOLDERS or bare in PLACEHOLDERS:
        return True
    if len(bare) > 1 and not bare.strip("x"):
        return True
    return not any(map(str.isalnum, bare))
