"""How old a kept answer may be that serves a run."""

from datetime import UTC, datetime, timedelta

_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


def refresh_answers_since(now: datetime, refresh_after_days: int | None) -> datetime | None:
    """The moment before which an answer is too old for a refresh that starts `now`; None: no answer is."""
    return None if refresh_after_days is None else now - timedelta(days=refresh_after_days)


def oldest_reusable(
    now: datetime, answer_days: int, *, created_at: datetime, answers_since: datetime | None
) -> datetime:
    """The moment after which an answer must have been given to serve a run `now`.

    `answer_days` is how long the provider's answers may be reused; with 0 only those serve that were given since the
    run was `created_at`, so that runs at the same time still share one. `answers_since` is the run's own bound: a
    forced run asks again, and a refresh where the answer is older than its own age.
    """
    kept_since = now - timedelta(days=answer_days) if answer_days else created_at
    return max(kept_since, answers_since or _ALWAYS)
