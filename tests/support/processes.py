"""Runs the command in a process of its own, as its users do."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.support.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]


def run_command(*arguments: str, data_dir: Path, **more: str) -> dict[str, Any]:
    """What `subprocess` needs to start the command with no settings but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AUTO_ENRICHMENT_")}
    environment = {**kept, "AUTO_ENRICHMENT_DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT), **more}
    return {
        "args": [sys.executable, "-m", "service.cli.main", *arguments],
        "env": environment,
        "cwd": data_dir.parent,
    }


def command(*arguments: str, data_dir: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """The command, run to its end."""
    return subprocess.run(
        **run_command(*arguments, data_dir=data_dir, **more),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def is_running(pid: int) -> bool:
    """Whether the process lives; a dead one that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def is_gone(pid: int, seconds: float = PATIENCE_SECONDS) -> bool:
    """Whether the process ends within the time."""
    until = time.monotonic() + seconds
    while is_running(pid):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
