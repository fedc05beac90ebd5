"""Which attributes of a row someone asks for, and of the rows within it."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Wanted: TypeAlias = Mapping[str, Any] | None
"""The names of the attributes; under that of a row within the row (or a list of them) what is wanted of it.

None: all of them.
"""
EVERYTHING: Final = None
