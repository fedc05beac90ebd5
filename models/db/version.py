"""The version of this code: what is released, what `--version` shows, and what a database is refused to."""

VERSION = "0.2.0"


def parse_version(text: str) -> tuple[int, ...]:
    """`1.2.3` as numbers that compare as versions do. Raises ValueError for anything else."""
    return tuple(int(part) for part in text.split("."))
