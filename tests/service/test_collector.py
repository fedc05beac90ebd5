"""A process that runs for long leaves what it has opened out of its collections, and goes on to collect the rest."""

import subprocess
import sys

PROGRAM = """
import gc
import weakref

from service.collector import settle_collector

settle_collector()
assert gc.get_freeze_count() > 1000 and gc.isenabled()


class Ring:
    pass


ring = Ring()
ring.itself = ring
seen = weakref.ref(ring)
del ring
rings = [[] for _ in range(2 * gc.get_threshold()[0])]
assert seen() is None
"""


def test_what_is_there_is_frozen_and_rings_made_later_are_freed() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
