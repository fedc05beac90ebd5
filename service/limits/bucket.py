"""One limit of one subject, as this process knows it: what is left of it, and what the process holds of it on lease.

The algorithm is the generic cell rate algorithm (GCRA, ITU-T I.371), which says the same as a bucket that is refilled
evenly. Redis keeps the moment at which the bucket is full again. A process that uses up what it was given is given
twice as much the next time, but never more than a small part of what is left: so Redis is asked for few of many
requests, and for each where a limit is nearly reached.
"""

import math
from dataclasses import dataclass

from service.limits.policy import Measure, Subject

LEASE_SECONDS = 1.0  # after which what was not used of a lease is let go
PART = 16  # a lease is at most one part in so many of what is left


@dataclass(slots=True)
class Bucket:
    """`most` at once, and `rate` of it a second. Moments are of the process's own clock.

    `available`: what was left at the moment `at`, beside the lease; no more can be there now than that and what has
    come in since.
    """

    key: str
    measure: Measure
    subject: Subject
    most: int
    rate: float
    available: float
    at: float
    lease: float = 0.0
    lease_until: float = -math.inf
    step: float = 0.0

    @property
    def name(self) -> str:
        """What it is called in headers."""
        return f"{self.measure}-{self.subject}"

    def left(self, now: float) -> float:
        """What may be left at most: others may have taken of it."""
        left = self.available + (now - self.at) * self.rate
        if now < self.lease_until:
            left += self.lease
        return min(left, float(self.most))

    def take(self, need: float, now: float) -> float:
        """Take it from the lease, or what there is of it. How much that was."""
        if now >= self.lease_until:
            return 0.0
        taken = min(self.lease, need)
        self.lease -= taken
        return taken

    def wanted(self, need: float, now: float) -> float:
        """How much to ask for: twice as much as the last time where that was used up before its time."""
        self.step = max(need, 2 * self.step if now < self.lease_until else 0.0)
        return self.step

    def filled(self, granted: float, need: float, available: float, now: float) -> None:
        """Redis gave so much, of which `need` is taken at once, and has so much left."""
        self.available, self.at = available, now
        if granted:
            kept = self.lease if now < self.lease_until else 0.0
            self.lease, self.lease_until = kept + granted - need, now + LEASE_SECONDS

    def take_alone(self, need: float, now: float) -> None:
        """Take it without Redis, of what this process knows."""
        self.available, self.at = min(self.available + (now - self.at) * self.rate, float(self.most)) - need, now

    def seconds_until(self, need: float, now: float) -> float:
        """How long it takes until so much may be there."""
        return max(0.0, (need - self.left(now)) / self.rate)
