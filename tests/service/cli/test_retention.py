"""`auto-enrichment retention` shows what is kept how long, and what would go."""

import re
from pathlib import Path

from tests.support.commands import command


def test_it_lists_every_kind_and_what_would_go(tmp_path: Path) -> None:
    assert command("migrate", data_dir=tmp_path).returncode == 0
    shown = command("retention", "--job-days", "90", data_dir=tmp_path, AUTO_ENRICHMENT_REPLAY_DAYS="30")
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [
        *("decisions", "jobs", "steps", "answers", "values", "conflicts", "ledger", "audit")
    ]
    assert re.search(r"^decisions +kept 30 days +0 would go", shown.stdout, re.MULTILINE)
    assert re.search(r"^jobs +kept 90 days +0 would go", shown.stdout, re.MULTILINE)
    assert re.search(r"^answers +kept for ever +0 would go", shown.stdout, re.MULTILINE)
    assert re.search(r"^ledger +kept for ever +0 would go +# is never pruned", shown.stdout, re.MULTILINE)


def test_days_that_cannot_be_set_are_refused(tmp_path: Path) -> None:
    refused = command("retention", "--job-days", "5", data_dir=tmp_path)
    assert refused.returncode == 2
    assert "30" in refused.stderr
