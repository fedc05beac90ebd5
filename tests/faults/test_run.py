"""A short run of the fault harness: what it says of the service holds."""

import secrets
from pathlib import Path

import pytest

from faults.beside import measure_beside
from faults.report import as_text
from faults.run import run


def folder_of_run(tmp_path: Path) -> Path:
    """A folder to which the user of PostgreSQL may pass through."""
    folder = tmp_path / "run"
    folder.mkdir()
    for passed_through in (folder, *folder.parents[:3]):
        passed_through.chmod(0o711)
    return folder


@pytest.mark.long
@pytest.mark.postgresql
@pytest.mark.timeout(900)
async def test_nothing_is_lost_or_doubled_under_faults(tmp_path: Path) -> None:
    seed = secrets.randbelow(1_000_000)
    folder = folder_of_run(tmp_path)
    checks, struck = await run(seed, 0.5, folder)
    assert struck
    assert [check.name for check in checks if check.faults] == [], (
        f"make faults SEED={seed} MINUTES=0.5\n{as_text(checks, struck)}"
    )


@pytest.mark.long
@pytest.mark.postgresql
@pytest.mark.timeout(600)
async def test_an_innocent_job_is_measured_beside_hostile_providers(tmp_path: Path) -> None:
    """How long it takes says nothing on a busy machine; that each mode is served, and nothing hangs, does."""
    modes = ["one_byte_packets", "deep_json", "blemished"]
    checks = await measure_beside(folder_of_run(tmp_path), modes)
    assert [check.name for check in checks] == [f"beside {mode}" for mode in modes]
    assert all("ratio" in check.seen for check in checks)
