"""Long work in one loop lets the others on it have their turn."""

import asyncio
import time

_SECONDS = 0.01  # of work without a pause


class Breather:
    """Counts how long work has gone on since the last pause."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    async def breathe(self) -> None:
        """Let others have the loop, if it has been held for long."""
        if time.perf_counter() - self._since > _SECONDS:
            await asyncio.sleep(0)
            self._since = time.perf_counter()
