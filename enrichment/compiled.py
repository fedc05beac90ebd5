"""Whether this package runs as Python or compiled, and whether what is compiled was made of the sources that are there.

`setup.py` says which modules are compiled. Their answers are the same either way.
"""

import json
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from hashlib import sha256
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

_PACKAGE = Path(__file__).parent
NOTE = "compiled.json"  # of the build: the digest of each source, by its path below the folder of the package


class Form(StrEnum):
    """How the decisions run."""

    COMPILED = "compiled"
    PURE = "pure Python"


class StaleBuild(Exception):
    """What is compiled was made of other sources than are there. The text says of which, and what to do."""


@cache
def form() -> Form:
    """How the decisions run in this process: all that can be compiled is, or nothing."""
    return Form.COMPILED if _compiled(_PACKAGE) else Form.PURE


def check_build(package: Path = _PACKAGE) -> None:
    """Raises StaleBuild where a compiled module was made of another source than the one beside it.

    Python imports what is compiled without a look at the source, so that an edit would do nothing, and say nothing.
    """
    stale = sorted(_stale(package))
    if stale:
        more = f" and {len(stale) - 1} more" if len(stale) > 1 else ""
        raise StaleBuild(
            f"{stale[0]}{more} changed since being compiled, and what is compiled would run: "
            "make compile builds it anew, make pure removes it"
        )


def _stale(package: Path) -> Iterator[str]:
    built = _compiled(package)
    if not built:
        return
    note = package / NOTE
    digests: dict[str, str] = json.loads(note.read_text("utf-8")) if note.exists() else {}
    for module in built | {(package.parent / name).with_suffix("") for name in digests}:
        source = module.with_suffix(".py")
        name = source.relative_to(package.parent).as_posix()
        is_whole = module in built and source.exists()
        if not is_whole or sha256(source.read_bytes()).hexdigest() != digests.get(name):
            yield name


def _compiled(package: Path) -> set[Path]:
    """The modules that have a compiled form for this Python, as paths without a suffix."""
    suffix = EXTENSION_SUFFIXES[0]
    return {path.with_name(path.name.removesuffix(suffix)) for path in package.rglob(f"*{suffix}")}
