"""Python's garbage collector in a process that runs for long: what stays is not looked through again and again."""

import gc

# New objects before the youngest are looked through, and such looks before the older ones are.
_THRESHOLDS = (10_000, 20, 50)


def settle_collector() -> None:
    """Leave all that is there now (modules, models, indexes) out of every later collection, and collect less often.

    Called once, when the process has opened what it needs.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
