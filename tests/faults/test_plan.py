"""The plan of a run follows from its seed."""

from collections import defaultdict

import pytest

from faults.plan import Fault, Kind, draw_plan


def test_the_seed_gives_the_same_plan_again_and_another_seed_another() -> None:
    assert draw_plan(7, 2) == draw_plan(7, 2)
    assert draw_plan(7, 2) != draw_plan(8, 2)


@pytest.mark.parametrize("seed", range(20))
def test_a_run_of_a_minute_has_every_kind_of_fault(seed: int) -> None:
    plan = draw_plan(seed, 1)
    assert {fault.kind for fault in plan} == set(Kind)
    assert [fault.at for fault in plan] == sorted(fault.at for fault in plan)


@pytest.mark.parametrize("seed", range(20))
def test_a_target_has_one_fault_at_a_time_and_a_process_of_each_sort_always_runs(seed: int) -> None:
    plan = draw_plan(seed, 5, every_seconds=0.2)
    for sort, count in (("worker", 3), ("API process", 2), ("PostgreSQL", 1), ("Redis", 1)):
        down: defaultdict[int, float] = defaultdict(float)
        for fault in _lasting(plan, sort):
            assert down[fault.target] <= fault.at, fault
            down[fault.target] = fault.at + fault.seconds
            running = count - sum(until > fault.at for until in down.values())
            assert running >= (1 if count > 1 else 0), fault


def _lasting(plan: list[Fault], sort: str) -> list[Fault]:
    return [fault for fault in plan if fault.kind.startswith(sort) and fault.seconds]
