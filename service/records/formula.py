"""Texts that a spreadsheet would take for a formula, kept as texts in exports, and read again as they were.

A cell that begins with one of these characters is computed when a table is opened, so that a value of a record could
run what its sender wrote (OWASP, "CSV Injection"). An apostrophe before it has it shown as it is; of a text that begins
with apostrophes and one of these, one apostrophe is the guard.
"""

import re

# The last four are the full-width forms of the first four.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def guarded(text: str) -> str:
    """The text as a cell may hold it."""
    return f"'{text}" if _FORMULA.match(text) else text


def without_guard(cell: str) -> str:
    """The text of a cell: `guarded` undone, and nothing of any other text."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
