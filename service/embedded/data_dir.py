"""The directory of the embedded stores: made when missing, and held by one process at a time."""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from service.embedded.private import keep_private

if sys.platform != "win32":
    import fcntl


class DataDirBusy(Exception):
    """Another process holds the data directory."""


class DataDirLock:
    """Holds a data directory from `acquire` to `release`, or to the end of the process, however it ends."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raises DataDirBusy while another process holds the directory, OSError if it cannot be made."""
        self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if sys.platform != "win32":
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise DataDirBusy(
                f"another auto-enrichment uses the data directory {self._data_dir} (process {holder or '?'})"
            ) from None
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        keep_private(self._data_dir)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
