"""A process opens what it needs: a worker has the HTTP client of the providers loaded before its first call."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import PATIENCE_SECONDS

PROGRAM = """
import asyncio
import sys

from service.runtime import Runtime
from service.installation_settings import load_settings


async def run(worker):
    async with Runtime(load_settings(), worker=worker, migrates=True):
        while worker and "aiohttp" not in sys.modules:
            await asyncio.sleep(0.05)


asyncio.run(run(worker=sys.argv[1] == "worker"))
print("aiohttp" in sys.modules)
"""


@pytest.mark.parametrize(("process", "loaded"), [("worker", "True"), ("API", "False")])
def test_the_http_client_is_loaded_at_the_start_of_a_worker_alone(tmp_path: Path, process: str, loaded: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTO_ENRICHMENT_")}
    environment |= {"AUTO_ENRICHMENT_DATA_DIR": str(tmp_path), "AUTO_ENRICHMENT_LOG_LEVEL": "error"}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, process],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    assert ended.stdout.split()[-1] == loaded
