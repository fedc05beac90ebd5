"""Seeds of random plays: a few for every run, many more in `make long`."""

import os
from typing import Any

import pytest

IN_ALL = int(os.environ.get("AUTO_ENRICHMENT_TEST_SEEDS", "25"))


def seeds(at_home: int) -> list[Any]:
    """Values for `parametrize`: the seeds that are always played, and those that take long."""
    return [pytest.param(seed, marks=[pytest.mark.long] if seed >= at_home else []) for seed in range(IN_ALL)]
