"""What computes long leaves the event loop to everyone else, and does so one at a time."""

import asyncio
import threading

from resolvers.off_loop import off_loop

TURNS = 10


async def test_others_have_their_turns_while_it_computes() -> None:
    """The work ends only once the loop has turned; on the loop it would never end."""
    has_turned = threading.Event()
    work = asyncio.ensure_future(off_loop(has_turned.wait))
    for _ in range(TURNS):
        await asyncio.sleep(0)
        assert not work.done()
    has_turned.set()
    assert await work


async def test_one_computes_at_a_time() -> None:
    running: list[int] = []
    most: list[int] = []

    def work(number: int) -> int:
        running.append(number)
        most.append(len(running))
        running.remove(number)
        return number

    found = await asyncio.gather(*(off_loop(work, number) for number in range(TURNS)))
    assert (found, max(most)) == (list(range(TURNS)), 1)
    names = await asyncio.gather(*(off_loop(lambda: threading.current_thread().name) for _ in range(TURNS)))
    assert len(set(names)) == 1
