"""What holds for every test: real stores (tests/support/stores.py), and how hard properties are tried.

Properties are tried on few examples at home, on more with `--hypothesis-profile=ci`, on many with `=long`: these are
others each time, the former the same, so that a check says what a change does and nothing by chance.
"""

import gc
import os

import pytest
import structlog
from hypothesis import HealthCheck, settings

from enrichment.compiled import StaleBuild, check_build, form
from tests.support.fuzzing import SEED, SEED_SETTING

pytest_plugins = ["tests.support.stores", "tests.support.provider_server"]

for name, examples in {"home": 20, "ci": 80, "long": 400}.items():
    # However long an example takes: on a busy machine that says nothing.
    settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,
        derandomize=name != "long",
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("home")

# Tracebacks as Python writes them: those that structlog draws by itself take a second each.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores: some always wait, for a lease to run out or a process to start."""
    return (os.cpu_count() or 1) + 1


def pytest_configure() -> None:
    try:
        check_build()
    except StaleBuild as error:
        pytest.exit(str(error), 4)


def pytest_report_header() -> str:
    return f"decisions: {form()}; seed of generated calls: {SEED} ({SEED_SETTING} sets it)"


def pytest_collection_finish() -> None:
    """Leave what is loaded by now to itself: to look through all of it again and again was a fifth of a run's time."""
    gc.collect()
    gc.freeze()
