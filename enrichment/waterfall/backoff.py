"""How long a job waits before its next attempt."""

from enrichment.config import Backoff


def wait_seconds(rules: Backoff, attempt: int, *, spread: float, retry_after: float | None = None) -> float:
    """Seconds to wait after the given attempt (1 is the first).

    Doubles from the first wait to the longest, and is spread by up to half of it (`spread` is 0 to 1, drawn
    by the caller) so that jobs that failed together do not come back together. A provider's own
    `retry_after` (seconds) is never undercut.
    """
    base = min(rules.initial_seconds * 2.0 ** (max(attempt, 1) - 1), float(rules.max_seconds))
    waited = base * (0.75 + 0.5 * spread)
    return max(waited, retry_after or 0.0)
