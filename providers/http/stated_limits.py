"""The limits of an account that a reply's headers name: how long to pause, and how many calls a minute there may be."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from providers.http.adapter import Reply
from providers.http.replies import LONGEST_PAUSE, moment, number, retry_after, seconds_until, sensible_pause

_PAUSE_SECONDS = 10.0  # after a refusal that does not say how long to wait
_MINUTE = re.compile(r"'minute'\s*:\s*(-?[0-9]+)")


@dataclass(frozen=True, slots=True)
class LimitUpdate:
    """Limits that a reply names: no calls for `pause_seconds`, and no more than so many in a window from then on."""

    pause_seconds: float = 0.0
    calls_per_minute: float | None = None
    calls_per_second: float | None = None


# By the window in which calls are counted: the headers of the calls left in it, and after how many seconds to look
# again when there are none, where no moment is named. Windows are fixed, so that they end sooner than they last.
_WINDOWS: Mapping[str, tuple[tuple[str, ...], float]] = {
    "second": (("x-ratelimit-remaining-second",), 1.0),
    "minute": (("x-ratelimit-remaining", "x-minute-requests-left", "x-ratelimit-remaining-minute"), _PAUSE_SECONDS),
    "hour": (("x-hourly-requests-left", "x-ratelimit-remaining-hour"), 600.0),
    "day": (("x-24-hour-requests-left", "x-ratelimit-remaining-day"), 3600.0),
}
_RESETS = "minute"  # the window whose end `X-RateLimit-Reset` names on a reply that is no refusal


def read_limits(reply: Reply, now: float) -> LimitUpdate:
    """What a reply's headers say of the limits. `now` is in seconds since 1970."""
    pause = 0.0
    if reply.status == 429:
        named = _first(retry_after(reply, now), _until_reset(reply, now), -1.0)
        pause = named if named >= 0 else max(_of_rejected(reply), _until_windows_end(reply, now))
    elif reply.status == 503:
        pause = retry_after(reply, now) or 0.0
    else:
        pause = _until_windows_end(reply, now)
    second = _count(reply.headers.get("x-ratelimit-limit-second", ""))
    return LimitUpdate(min(pause, LONGEST_PAUSE), _minute_limit(reply), second if second and second > 0 else None)


def _until_windows_end(reply: Reply, now: float) -> float:
    """Seconds to wait until all windows have calls left again."""
    pause = 0.0
    for window, (headers, again_after) in _WINDOWS.items():
        left = (_count(reply.headers[name]) for name in headers if name in reply.headers)
        if next((count for count in left if count is not None), None) == 0:
            reset = _until_reset(reply, now) if window == _RESETS else None
            pause = max(pause, _first(reset, again_after))
    return pause


def _of_rejected(reply: Reply) -> float:
    """Seconds to wait after a refusal, by the window that it names as full."""
    window = reply.headers.get("x-ratelimit-rejected-bucket", "").strip().lower()
    return _WINDOWS[window][1] if window in _WINDOWS else _PAUSE_SECONDS


def _first(*seconds: float | None) -> float:
    return next(found for found in seconds if found is not None)


def _until_reset(reply: Reply, now: float) -> float | None:
    """Seconds until the moment that `X-RateLimit-Reset` names, as seconds since 1970 or as a time, or counts."""
    written = reply.headers.get("x-ratelimit-reset", "").strip()
    seconds = number(written)
    if seconds is not None:
        return sensible_pause(seconds_until(seconds, now) if seconds > 1e9 else float(seconds))
    when = moment(written)
    return None if when is None else sensible_pause(seconds_until(when.timestamp(), now))


def _minute_limit(reply: Reply) -> float | None:
    """The limit of a minute, where a header says that it is one."""
    named = _count(reply.headers.get("x-rate-limit-minute", "")) or _count(
        reply.headers.get("x-ratelimit-limit-minute", "")
    )
    second = _count(reply.headers.get("x-ratelimit-limit-second", ""))
    bare = reply.headers.get("x-ratelimit-limit", "")
    return named or (second * 60 if second else None) or (_count(bare) if _MINUTE.search(bare) else None) or None


def _count(written: str) -> float | None:
    """A count of calls, also from a mapping written as text; None for what is none."""
    inside = _MINUTE.search(written)
    return number(inside[1] if inside else written)
