"""Long work on an event loop that yields it to others in good time."""

import asyncio
import time

_SECONDS = 0.01  # of work without a pause


class LoopYield:
    """Measures how long work has held the loop since it last yielded it."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    async def if_due(self) -> None:
        """Yield the loop to others where it has been held for long."""
        if time.perf_counter() - self._since > _SECONDS:
            await asyncio.sleep(0)
            self._since = time.perf_counter()
