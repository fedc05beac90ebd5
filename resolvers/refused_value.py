"""Whether the database or Python refused a value that a caller sent: a bad input, and no defect.

Each input has checks of its own, with the path of what is wrong. This is for what they let through.
"""

import asyncpg

_REFUSALS = (
    asyncpg.DataError,  # also what asyncpg itself cannot encode, and a NUL within JSON
    asyncpg.ProgramLimitExceededError,  # too long for an index
    OverflowError,  # a number beyond 64 bits, a moment beyond the years 1 to 9999
    UnicodeEncodeError,  # a lone surrogate
)
_DIGITS = "integer string conversion"  # how Python words its limit on the digits of a whole number

MESSAGE = (
    "the input holds a value that cannot be stored or compared: a NUL character, half of a surrogate pair, a number or"
    " a moment out of range, or a text that is too long"
)


def is_refused_value(error: BaseException) -> bool:
    """Whether a value was refused, as against a statement or a service out of reach."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, _REFUSALS) or (isinstance(seen, ValueError) and _DIGITS in str(seen)):
            return True
        wrapped = seen.args[0] if seen.args else None
        seen = wrapped if isinstance(wrapped, BaseException) else seen.__cause__
    return False
