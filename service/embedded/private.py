"""The files of the data directory, with data, secrets and addresses in them, are for their owner alone."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

OWNER_ONLY = 0o600
DATABASE_FILE = "auto-enrichment.db"
ADDRESS_FILE = "address"
REDIS_DIR = "redis"
UMASK = 0o077  # for processes that write into the directory
_OURS = (f"{DATABASE_FILE}*", ADDRESS_FILE, "lock", "jwt-secret", "encryption-key", f"{REDIS_DIR}/**/*")


def make_private(path: Path) -> None:
    """Have the file there, as it is, and nobody but its owner read it. Raises OSError."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY))
    path.chmod(OWNER_ONLY)


def keep_private(data_dir: Path) -> None:
    """Take from others what they may do with the files of ours that are there; a stranger's files stay as they are."""
    for path in _found(data_dir):
        with suppress(FileNotFoundError, PermissionError):  # gone in the meantime, or of another user
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode) and stat.S_IMODE(mode) & UMASK:
                path.chmod(OWNER_ONLY)


def _found(data_dir: Path) -> Iterator[Path]:
    for pattern in _OURS:
        yield from data_dir.glob(pattern)
