"""The benchmarks still run: each once, as small as it goes. What they measure is nobody's rule and is not looked at."""

from collections.abc import Iterable

import pytest

from benchmarks.bench import PARTS, Part, run_part
from benchmarks.measurement import Contender, Measurement, Round, Size, take_turns
from benchmarks.postgres import own_postgres
from benchmarks.report import as_markdown, as_text

_ON_SQLITE = [part for part in PARTS if part.sqlite]


def _assert_measured(found: Iterable[Measurement]) -> None:
    """A peer may be missing (Node and npm are), none of ours."""
    ours = [each for each in found if each.ours]
    assert ours
    assert [(each.work, each.contender, each.failure) for each in ours if each.failure or not each.rounds] == []


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", _ON_SQLITE, ids=lambda part: part.module)
async def test_every_part_runs_on_sqlite(part: Part) -> None:
    _assert_measured(await run_part(part, Size.TINY, None))


@pytest.mark.long
@pytest.mark.postgresql
@pytest.mark.timeout(1800)
async def test_every_part_runs_on_postgresql() -> None:
    async with own_postgres() as postgres:
        found = [each for part in PARTS for each in await run_part(part, Size.TINY, postgres)]
    _assert_measured(found)
    assert all(each.work in as_markdown(found, Size.TINY, 60.0) for each in found)


async def test_a_contender_that_fails_is_reported_and_the_others_go_on() -> None:
    turns: list[str] = []

    async def ours() -> Round:
        turns.append("ours")
        return Round(200.0, cpu_ms=2.0, p50_ms=4.0)

    async def peer() -> Round:
        turns.append("peer")
        return Round(100.0)

    async def broken() -> Round:
        turns.append("broken")
        raise ValueError("no such server")

    contenders = [
        Contender("pages", "ours", "requests/s", ours, ours=True),
        Contender("pages", "broken", "requests/s", broken),
        Contender("pages", "peer", "requests/s", peer),
    ]
    found = await take_turns(contenders, 2)
    assert turns == ["ours", "broken", "peer", "ours", "peer", "ours", "peer"]
    assert [len(each.rounds) for each in found] == [2, 0, 2]
    table = as_text(found)
    assert "broken: FAILED ValueError: no such server" in table
    [row] = [line.split() for line in table.splitlines() if line.startswith("  peer")]
    assert row[:4] == ["peer", "100", "requests/s", "2.00"]  # ours is twice as fast


def test_a_measurement_comes_out_of_json_as_it_went_in() -> None:
    made = Measurement("pages", "ours", "requests/s", (Round(1.0, cpu_ms=2.0),), ours=True, remark="of 2 cores")
    assert Measurement.from_json(made.as_json()) == made
