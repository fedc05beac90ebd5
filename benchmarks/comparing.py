"""How fast values are normalized and compared, by field: the first time, and once they are remembered.

    python -m benchmarks.comparing [ROUNDS]

Both run for every field of every job. To compare two states of the code, run it in both, one after the other.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

from enrichment.catalogue import is_equivalent, normalize
from enrichment.enums import EntityType
from service.sample.records import sample_records

FIELDS = {
    EntityType.ACCOUNT: ("name", "website", "industry", "numberOfEmployees", "foundedYear", "city", "country"),
    EntityType.LEAD: ("firstName", "lastName", "title", "email", "phone"),
}
Values = dict[tuple[EntityType, str], list[tuple[Any, Any]]]


def values() -> Values:
    """The raw and the canonical values of the sample, by field."""
    found: Values = {(kind, name): [] for kind, names in FIELDS.items() for name in names}
    for record in sample_records():
        kind, fields = EntityType(record["entityType"]), record["fields"]
        for name in FIELDS[kind]:
            try:
                value = normalize(kind, name, fields.get(name), hints={"country": "Germany"})
            except ValueError:
                continue
            if value is not None:
                found[kind, name].append((fields[name], value))
    return found


def _per_second(rounds: int, count: int, work: Callable[[], None]) -> float:
    started = time.perf_counter()
    for _ in range(rounds):
        work()
    return rounds * count / (time.perf_counter() - started)


def main(rounds: int) -> None:
    print(f"{'':<28}{'values':>8}{'normalized/s':>16}{'compared/s, first':>20}{'compared/s, after':>20}")
    for (kind, name), known in values().items():
        if not known:
            continue
        raws = [raw for raw, _ in known]
        pairs = [(a[1], b[1]) for a, b in zip(known, [*known[1:], known[0]], strict=True)]

        def normalizing(kind: EntityType = kind, name: str = name, raws: list[Any] = raws) -> None:
            for raw in raws:
                normalize(kind, name, raw, hints={"country": "Germany"})

        def comparing(kind: EntityType = kind, name: str = name, pairs: list[tuple[Any, Any]] = pairs) -> None:
            for a, b in pairs:
                is_equivalent(kind, name, a, b)

        first = _per_second(1, len(pairs), comparing)
        told = (_per_second(rounds, len(raws), normalizing), first, _per_second(rounds, len(pairs), comparing))
        print(f"{f'{kind.value} {name}':<28}{len(known):>8}" + f"{told[0]:>16,.0f}{told[1]:>20,.0f}{told[2]:>20,.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
