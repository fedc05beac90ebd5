"""Checks the locked dependencies for known faults: `make audit`. Needs pip-audit, and its vulnerability service.

It ends with 0 where every dependency was checked and none has a known fault, with 1 where one has, and with 2 where
not all could be checked: nothing that was left unchecked counts as free of faults.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "requirements.lock"
CLEAN, FAULTY, UNCHECKED = 0, 1, 2
_SHOWN = 10  # names of dependencies in one line

_CHECK = ("--requirement", str(LOCK), "--require-hashes", "--disable-pip", "--progress-spinner", "off")


def audit() -> int:
    """Print what is known of the locked dependencies; the status that the process should end with."""
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", *_CHECK, "--format", "json"], capture_output=True, text=True, check=False
    )
    try:
        report = json.loads(done.stdout)
    except json.JSONDecodeError:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        print(f"Nothing was checked, since pip-audit or its vulnerability service did not answer: {reason}")
        return UNCHECKED
    lines, status = read(report)
    print("\n".join(lines))
    return status


def read(report: Mapping[str, Any]) -> tuple[list[str], int]:
    """What pip-audit's JSON report says, in lines, and the status for it."""
    dependencies = report["dependencies"]
    faults = list(_faults(dependencies))
    unchecked = [dependency["name"] for dependency in dependencies if "skip_reason" in dependency]
    lines = [*faults, f"{len(dependencies) - len(unchecked)} of {len(dependencies)} dependencies were checked."]
    if unchecked:
        more = f" and {len(unchecked) - _SHOWN} more" if len(unchecked) > _SHOWN else ""
        lines.append(f"Nothing was learnt of {', '.join(unchecked[:_SHOWN])}{more}: the service may be out of reach.")
    if faults:
        return lines, FAULTY
    return (lines, UNCHECKED) if unchecked or not dependencies else ([*lines, "None has a known fault."], CLEAN)


def _faults(dependencies: list[Mapping[str, Any]]) -> Iterator[str]:
    for dependency in dependencies:
        for fault in dependency.get("vulns", ()):
            fixed = ", ".join(fault["fix_versions"]) or "no version yet"
            yield f"{dependency['name']} {dependency['version']}: {fault['id']}, mended in {fixed}"


if __name__ == "__main__":
    sys.exit(audit())
