"""A batcher: a lone caller is answered at once, and many at once share a statement."""

import asyncio
from collections.abc import Sequence

import pytest

from resolvers.batcher import Batcher
from tests.support.waiting import until


class Statement:
    """Doubles numbers, once its gate is open, and notes which it was given together."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        await self.gate.wait()
        if 13 in items:
            raise ValueError("unlucky")
        return [2 * item for item in items]


async def test_what_comes_while_a_statement_runs_goes_into_the_next() -> None:
    statement = Statement()
    batcher = Batcher(statement, most=100, wait=0.0)
    statement.gate.clear()
    callers = [asyncio.create_task(batcher(1))]
    await until(lambda: statement.batches)
    callers += [asyncio.create_task(batcher(number)) for number in (2, 3)]
    await asyncio.sleep(0.01)
    assert statement.batches == [[1]]
    statement.gate.set()
    assert await asyncio.gather(*callers) == [2, 4, 6]
    assert statement.batches == [[1], [2, 3]]


async def test_a_full_batch_goes_at_once() -> None:
    statement = Statement()
    batcher = Batcher(statement, most=2, wait=0.0)
    assert await asyncio.gather(*(batcher(number) for number in range(5))) == [0, 2, 4, 6, 8]
    assert [len(asked) for asked in statement.batches] == [2, 2, 1]


async def test_a_failure_is_its_own_batchs_alone_and_the_next_goes_on() -> None:
    statement = Statement()
    batcher = Batcher(statement, most=100, wait=0.0)
    with pytest.raises(ValueError, match="unlucky"):
        await batcher(13)
    assert await batcher(2) == 4


async def there() -> None:
    """A store that answers."""


async def away() -> None:
    raise OSError("no store")


async def test_what_makes_a_batch_fail_is_found_and_fails_alone() -> None:
    statement = Statement()
    batcher = Batcher(statement, most=8, wait=0.0, ping=there)
    numbers = [1, 2, 13, 4, 5, 6, 7, 8]
    found = await asyncio.gather(*(batcher(number) for number in numbers), return_exceptions=True)
    assert [str(answer) if number == 13 else answer for number, answer in zip(numbers, found, strict=True)] == [
        "unlucky" if number == 13 else 2 * number for number in numbers
    ]
    assert statement.batches == [numbers, numbers[:4], [1, 2], [13, 4], [13], [4], numbers[4:]]


async def test_a_batch_is_not_halved_while_the_store_is_away() -> None:
    statement = Statement()
    batcher = Batcher(statement, most=2, wait=0.0, ping=away)
    found = await asyncio.gather(batcher(13), batcher(2), return_exceptions=True)
    assert ([type(error) for error in found], statement.batches) == ([ValueError] * 2, [[13, 2]])


async def test_closing_answers_whoever_still_waits() -> None:
    statement = Statement()
    batcher = Batcher(statement, most=100, wait=60.0)
    caller = asyncio.create_task(batcher(4))
    await asyncio.sleep(0)
    await batcher.close()
    assert await caller == 8
