"""A short run of the fault harness: what it says of the service holds."""

import secrets
from pathlib import Path

import pytest

from faults.report import as_text
from faults.run import run

_SHOWN_ALONE = "every counted call is in a number"  # what its list is for


@pytest.mark.long
@pytest.mark.postgresql
@pytest.mark.timeout(900)
async def test_nothing_is_lost_or_doubled_under_faults(tmp_path: Path) -> None:
    seed = secrets.randbelow(1_000_000)
    folder = tmp_path / "run"
    folder.mkdir()
    for passed_through in (folder, *folder.parents[:3]):
        passed_through.chmod(0o711)  # by the user of PostgreSQL
    checks, struck = await run(seed, 0.5, folder)
    assert struck
    assert [check.name for check in checks if check.faults and check.name != _SHOWN_ALONE] == [], (
        f"make faults SEED={seed} MINUTES=0.5\n{as_text(checks, struck)}"
    )
