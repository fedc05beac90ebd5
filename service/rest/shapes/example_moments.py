"""The moments of the examples: records come in, are enriched within two seconds, and are seen by a person later."""

from datetime import UTC, datetime

CAME_IN = datetime(2026, 11, 24, 7, 0, 0, tzinfo=UTC)
STARTED = datetime(2026, 11, 24, 7, 0, 1, tzinfo=UTC)
FINISHED = datetime(2026, 11, 24, 7, 0, 2, tzinfo=UTC)
REVIEWED = datetime(2026, 11, 24, 9, 12, 0, tzinfo=UTC)
