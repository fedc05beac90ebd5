"""Texts of others as every store can hold them."""


def storable(text: str) -> str:
    """The text without NUL, which PostgreSQL refuses, and with a question mark for half a character (a lone surrogate),
    which no encoding writes.
    """
    return text.encode("utf-8", "replace").decode().replace("\x00", "")
