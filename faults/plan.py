"""Which faults a run has, and when: drawn from the seed alone, so that the seed gives the same plan again."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

WORKERS = 3
SERVERS = 2
ORGANIZATIONS = 3

CLOCK_SECONDS = 40.0  # by which a wrong clock is wrong
LEASE_SECONDS = 15.0  # of a job; a worker that is stopped for longer has lost its jobs
_QUIET_SECONDS = 2.0  # at the beginning, so that calls are under way
_STARTS_WITHIN = 3.0  # a process or a store needs some seconds after its fault until it works again
_LEAST_IN_HAND = 5  # kinds to choose from, where all targets of the first are out of order


class Kind(StrEnum):
    """What is done to the service."""

    CANCEL = "job cancelled in mid call"
    ERASE = "record erased in mid call"
    WORKER_KILL = "worker killed"
    WORKER_TERM = "worker told to end"
    WORKER_STOP = "worker stopped past its lease"
    SERVER_KILL = "API process killed"
    SERVER_TERM = "API process told to end"
    HANG = "provider hangs"
    POSTGRES_STOP = "PostgreSQL stopped"
    POSTGRES_CRASH = "PostgreSQL crashed"
    POSTGRES_SILENT = "PostgreSQL silent"
    BACKENDS_END = "connections to PostgreSQL ended"
    POSTGRES_FULL = "PostgreSQL's disk full"
    REDIS_KILL = "Redis killed and emptied"
    REDIS_SILENT = "Redis silent"
    REDIS_EMPTIED = "Redis emptied"
    REDIS_FULL = "Redis full"
    CLOCK_AHEAD = "worker whose clock is ahead"
    CLOCK_BEHIND = "worker whose clock is behind"


@dataclass(frozen=True, slots=True)
class _Draw:
    """How often a kind comes in a deck, how many targets it has, and how long it lasts, in seconds."""

    cards: int
    targets: int = 1
    shortest: float = 0.0
    longest: float = 0.0
    resource: str = ""  # what is out of order meanwhile; faults of one target of a resource do not overlap
    most: int = 1  # targets of the resource that may be out of order at once


_DRAWS: Mapping[Kind, _Draw] = {
    Kind.CANCEL: _Draw(6, ORGANIZATIONS),
    Kind.ERASE: _Draw(4, ORGANIZATIONS),
    Kind.WORKER_KILL: _Draw(5, WORKERS, 0.1, 3.0, "worker", WORKERS - 1),
    Kind.WORKER_TERM: _Draw(2, WORKERS, 3.0, 6.0, "worker", WORKERS - 1),
    Kind.WORKER_STOP: _Draw(2, WORKERS, LEASE_SECONDS + 2, LEASE_SECONDS + 6, "worker", WORKERS - 1),
    Kind.SERVER_KILL: _Draw(1, SERVERS, 0.1, 3.0, "server", SERVERS - 1),
    Kind.SERVER_TERM: _Draw(1, SERVERS, 3.0, 6.0, "server", SERVERS - 1),
    Kind.HANG: _Draw(2, ORGANIZATIONS, 2.0, 8.0, "provider", ORGANIZATIONS),
    Kind.POSTGRES_STOP: _Draw(1, 1, 0.5, 5.0, "postgres"),
    Kind.POSTGRES_CRASH: _Draw(1, 1, 0.1, 4.0, "postgres"),
    Kind.POSTGRES_SILENT: _Draw(1, 1, 1.0, 18.0, "postgres"),
    Kind.BACKENDS_END: _Draw(1),
    Kind.POSTGRES_FULL: _Draw(1, 1, 2.0, 6.0, "postgres"),
    Kind.REDIS_KILL: _Draw(1, 1, 0.1, 3.0, "redis"),
    Kind.REDIS_SILENT: _Draw(1, 1, 1.0, 6.0, "redis"),
    Kind.REDIS_EMPTIED: _Draw(1),
    Kind.REDIS_FULL: _Draw(1, 1, 1.0, 6.0, "redis"),
    Kind.CLOCK_AHEAD: _Draw(1, WORKERS, 5.0, 10.0, "worker", WORKERS - 1),
    Kind.CLOCK_BEHIND: _Draw(1, WORKERS, 5.0, 10.0, "worker", WORKERS - 1),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: seconds after the start of the run, which of its kind's targets, and how long it lasts."""

    at: float
    kind: Kind
    target: int
    seconds: float


def draw_plan(seed: int, minutes: float, every_seconds: float = 1.0) -> list[Fault]:
    """The faults of a run, in order; on average one in `every_seconds`. Every kind comes once before any comes again.

    A target is out of order by one fault at a time, and one process of each sort always runs. The plan is the same
    for the same arguments.
    """
    chance = random.Random(seed)  # noqa: S311 -- the seed has to give the same plan again
    hand = list(_DRAWS)  # a short run has each kind once
    chance.shuffle(hand)
    busy: dict[str, dict[int, float]] = {}
    faults: list[Fault] = []
    at = _QUIET_SECONDS
    while at < minutes * 60:
        if len(hand) < _LEAST_IN_HAND:
            hand += _deck(chance)
        kind = hand.pop(0)
        draw = _DRAWS[kind]
        until = busy.setdefault(draw.resource or kind, {})
        free = [target for target in range(draw.targets) if until.get(target, 0.0) <= at]
        if draw.targets - len(free) >= draw.most or not free:
            hand.insert(_LEAST_IN_HAND - 1, kind)  # soon again
            at += 0.02
            continue
        target, seconds = chance.choice(free), chance.uniform(draw.shortest, draw.longest)
        if draw.resource:
            until[target] = at + seconds + _STARTS_WITHIN
        faults.append(Fault(round(at, 2), kind, target, round(seconds, 2)))
        at += chance.expovariate(1 / every_seconds)
    return faults


def _deck(chance: random.Random) -> list[Kind]:
    deck = [kind for kind, draw in _DRAWS.items() for _ in range(draw.cards)]
    chance.shuffle(deck)
    return deck
