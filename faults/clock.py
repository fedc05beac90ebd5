"""A clock of a process that is wrong: libfaketime, which Debian has, answers for the machine's."""

from pathlib import Path

_LIBRARIES = ("/usr/lib", "/lib")


def wrong_clock(seconds: float) -> dict[str, str] | None:
    """The environment of a process whose clock is wrong by so much; None where libfaketime is not installed.

    What counts seconds, and is never set on a real machine, stays right.
    """
    found = next((path for root in _LIBRARIES for path in Path(root).glob("*/faketime/libfaketimeMT.so.1")), None)
    if found is None:
        return None
    return {"LD_PRELOAD": str(found), "FAKETIME": f"{seconds:+.0f}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
