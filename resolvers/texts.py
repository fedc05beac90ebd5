"""Texts that callers send: bounded, and nothing in them that a database cannot hold."""

from resolvers.errors import Fault, ValidationFailed


def check_text(text: str, path: str, *, longest: int) -> str:
    """The text as it is. Raises ValidationFailed when it is longer than `longest` or holds a NUL character."""
    if len(text) > longest:
        raise ValidationFailed(f"{path} is too long", faults=[Fault(path, f"at most {longest} characters")])
    if "\0" in text:
        raise ValidationFailed(f"{path} holds a NUL character", faults=[Fault(path, "holds a NUL character")])
    return text
