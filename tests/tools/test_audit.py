"""The audit of the locked dependencies says what was checked, and takes nothing unchecked for sound."""

import sys
from typing import Any

import pytest

from tools import audit

SOUND = {"name": "orjson", "version": "3.13.0", "vulns": []}
FAULTY = {
    "name": "starlette",
    "version": "1.10.0",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.10.1"]}, {"id": "GHSA-x", "fix_versions": []}],
}
SKIPPED = {"name": "arq", "skip_reason": "Dependency not found on PyPI and could not be audited: arq (0.28.0)"}


def test_sound_dependencies_are_counted() -> None:
    assert audit.read({"dependencies": [SOUND]}) == (
        ["1 of 1 dependencies were checked.", "None has a known fault."],
        audit.CLEAN,
    )


def test_a_known_fault_is_named_with_the_version_that_mends_it() -> None:
    lines, status = audit.read({"dependencies": [SOUND, FAULTY, SKIPPED]})
    assert lines[:2] == [
        "starlette 1.10.0: PYSEC-2026-1, mended in 1.10.1",
        "starlette 1.10.0: GHSA-x, mended in no version yet",
    ]
    assert status == audit.FAULTY


@pytest.mark.parametrize("dependencies", [[SKIPPED], [SOUND, SKIPPED], []])
def test_what_was_not_checked_does_not_count_as_sound(dependencies: list[dict[str, Any]]) -> None:
    lines, status = audit.read({"dependencies": dependencies})
    assert status == audit.UNCHECKED
    assert "None has a known fault." not in lines


def test_an_audit_that_did_not_happen_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert audit.audit() == audit.UNCHECKED
    assert capsys.readouterr().out.startswith("Nothing was checked")
