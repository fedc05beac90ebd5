"""Where a running service on a data directory says its address, for other commands."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from service.embedded.private import ADDRESS_FILE, make_private
from service.runtime import uses_data_dir
from service.settings import Settings


@contextmanager
def recorded_address(settings: Settings, address: str) -> Iterator[None]:
    """Let commands on the same data directory find the service while the block runs."""
    if not uses_data_dir(settings):
        yield
        return
    path: Path = settings.data_dir / ADDRESS_FILE
    make_private(path)
    path.write_text(f"{address}\n", "utf-8")
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
