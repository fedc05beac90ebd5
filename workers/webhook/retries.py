"""When a message is sent again that failed, and when an endpoint that fails is left alone."""

from datetime import timedelta

_MINUTE, _HOUR = 60.0, 3600.0
_WAITS = (5.0, 30.0, 2 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR, 4 * _HOUR)  # the last goes on
_LONGEST_ASKED = _HOUR  # that an endpoint may ask for by `Retry-After`
_LONGEST_QUIET = 5 * _MINUTE


def wait_before(tries: int, *, spread: float, retry_after: float | None = None) -> timedelta:
    """How long to wait after so many attempts (1: the first) before the next.

    `spread` (0 to 1) makes it up to a fifth shorter or longer, so that what failed together does not come back
    together. `retry_after` (seconds), as the endpoint asked, is not undercut up to an hour.
    """
    waited = _WAITS[min(tries, len(_WAITS)) - 1] * (0.8 + 0.4 * spread)
    return timedelta(seconds=max(waited, min(retry_after or 0.0, _LONGEST_ASKED)))


def quiet_after(failures: int, *, spread: float) -> timedelta:
    """How long nothing is sent to an endpoint after so many rounds in a row in which nothing arrived."""
    return timedelta(seconds=min(2.0 ** min(failures - 1, 10), _LONGEST_QUIET) * (0.8 + 0.4 * spread))
