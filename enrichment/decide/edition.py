"""Which edition of the rules a decision is taken by.

Rules change with the versions of the service. A replay takes a past decision again by the edition that its snapshot was
written under, so that it differs from what happened by the configuration alone.
"""

from enum import IntEnum


class Edition(IntEnum):
    """The editions, the newest last."""

    ARRIVAL = 1  # an arrival counted as an observation, and confidence did not decay
    OBSERVATION = 2  # what was observed later wins, and confidence decays from the observation
    UNITS = 3  # an address and an employment are decided as one thing


LATEST = max(Edition)
