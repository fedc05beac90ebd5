"""Runs the command in a process of its own, as its users do."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.waiting import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).parents[2]


def run_command(*arguments: str, data_dir: Path, **settings: str) -> dict[str, Any]:
    """What `subprocess` needs to start the command with no settings but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AUTO_ENRICHMENT_")}
    environment = {**kept, "AUTO_ENRICHMENT_DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT), **settings}
    return {
        "args": [sys.executable, "-m", "service.cli.main", *arguments],
        "env": environment,
        "cwd": data_dir.parent,
    }


def command(*arguments: str, data_dir: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """The command, run to its end."""
    return subprocess.run(
        **run_command(*arguments, data_dir=data_dir, **settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


class Process:
    """A process of the command that goes on running. `output` is everything it has written so far."""

    def __init__(self, *arguments: str, data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        started = run_command(*arguments, data_dir=data_dir, **(settings or {}))
        self._process = subprocess.Popen(
            **started, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        self.output = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def text(self) -> str:
        return self.output.decode()

    def _read(self) -> None:
        assert self._process.stdout is not None  # asked for above
        for line in self._process.stdout:
            self.output += line  # in place: a process whose lines nobody takes stands still

    def wait_for(self, text: bytes) -> None:
        """Wait until it has written this. Fails if it ends before."""
        wait_until(lambda: text in self.output or self._process.poll() is not None, lambda: self.text)
        assert text in self.output, self.text

    def address(self) -> str:
        """Where a server listens, once it does."""
        self.wait_for(b"Serving.")
        found = re.search(r"http://127\.0\.0\.1:\d+", self.text)
        assert found is not None, self.text
        return found[0]

    def child(self) -> int:
        """The id of the one process that this one has started."""
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text("ascii")
        (pid,) = listed.split()
        return int(pid)

    def kill(self) -> None:
        """End it as a crash does."""
        self.end_with(signal.SIGKILL)

    def stop(self) -> int:
        """Tell it to end, unless it has. Returns its exit status."""
        return self.end_with(signal.SIGTERM)

    def end_with(self, number: signal.Signals) -> int:
        """Send it a signal, unless it has ended, and wait for its end. Returns its exit status."""
        if self._process.poll() is None:
            os.kill(self.pid, number)
        try:
            return self._process.wait(PATIENCE_SECONDS)
        finally:
            if self._process.poll() is None:
                self._process.kill()
            self._reader.join(PATIENCE_SECONDS)
            assert self._process.stdout is not None  # asked for above
            self._process.stdout.close()


@contextmanager
def serving(*options: str, data_dir: Path, settings: Mapping[str, str] | None = None) -> Iterator[Process]:
    """`serve --embedded` on a port of its own, killed at the end of the block unless it has ended."""
    process = Process("serve", "--embedded", "--port", "0", *options, data_dir=data_dir, settings=settings)
    try:
        yield process
    finally:
        process.kill()


def is_running(pid: int) -> bool:
    """Whether the process lives; a dead one that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until_gone(pid: int) -> None:
    """Wait until the process has ended."""
    wait_until(lambda: not is_running(pid), f"process {pid} goes on")
