"""The provider's count beside the ledger: which calls are in no number of ours, and which charges nobody served."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from faults.load import OrganizationLoad, label_of

_COUNTED = frozenset({"match", "hang"})  # what the provider bills: it has worked on a call that then hangs


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the ledger that ends a reservation. `maybe`: given back, though the provider may have charged it."""

    organization: str
    provider: str
    label: str  # the record's external id
    charged: bool
    maybe: bool


@dataclass(frozen=True, slots=True)
class UnseenCall:
    """Calls about one record that the provider counted and that neither the charges nor `maybeCharged` hold."""

    organization: str
    provider: str
    label: str
    counted: int
    charged: int
    maybe: int
    at: tuple[float, ...]  # when the provider got its calls about this record, in seconds after the start

    def __str__(self) -> str:
        times = ", ".join(f"{moment:.1f}" for moment in self.at)
        return (
            f"{self.provider} {self.label}: counted {self.counted}, charged {self.charged}, maybe {self.maybe};"
            f" calls at {times} s"
        )


@dataclass(frozen=True, slots=True)
class CallCount:
    """All calls of a run. `unserved`: charges beyond what the provider served, by provider and record."""

    counted: int
    charged: int
    maybe: int
    unseen: list[UnseenCall]
    unserved: list[str]


def compare_calls(loads: Mapping[str, OrganizationLoad], lines: list[Line], started: float) -> CallCount:
    """Hold what the stand-ins counted against the ledger's lines, record by record. `started` is monotonic."""
    counted: Counter[tuple[str, str, str]] = Counter()
    moments: dict[tuple[str, str, str], list[float]] = {}
    for organization, load in loads.items():
        for call in load.account.asked:
            key = (organization, call.provider, label_of(call.about))
            counted[key] += call.outcome in _COUNTED
            moments.setdefault(key, []).append(call.at - started)
    charged = Counter((line.organization, line.provider, line.label) for line in lines if line.charged)
    maybe = Counter((line.organization, line.provider, line.label) for line in lines if line.maybe)
    unseen = [
        UnseenCall(*key, count, charged[key], maybe[key], tuple(moments[key]))
        for key, count in sorted(counted.items())
        if count > charged[key] + maybe[key]
    ]
    unserved = [" ".join(key) for key, charges in sorted(charged.items()) if charges > counted[key]]
    return CallCount(counted.total(), charged.total(), maybe.total(), unseen, unserved)
