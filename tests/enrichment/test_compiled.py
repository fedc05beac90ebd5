"""What says how the decisions run is right, and what is compiled of other sources is refused."""

import importlib
import json
from hashlib import sha256
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import FunctionType

import pytest

import enrichment
from enrichment.compiled import NOTE, Form, StaleBuild, check_build, form
from enrichment.decide.fields import decide_fields


def test_it_says_what_runs() -> None:
    assert (form() is Form.PURE) == isinstance(decide_fields, FunctionType)
    note = Path(enrichment.__path__[0]) / NOTE
    if form() is Form.COMPILED:
        for source in json.loads(note.read_text()):
            module = importlib.import_module(source.removesuffix(".py").replace("/", "."))
            assert str(module.__file__).endswith(EXTENSION_SUFFIXES[0])


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with one compiled module, made of the source that is there."""
    made = tmp_path / "enrichment"
    made.mkdir()
    (made / "decide.py").write_text("X = 1\n")
    (made / f"decide{EXTENSION_SUFFIXES[0]}").touch()
    (made / "plain.py").write_text("Y = 1\n")
    (made / NOTE).write_text(json.dumps({"enrichment/decide.py": sha256(b"X = 1\n").hexdigest()}))
    return made


def test_a_build_of_the_sources_that_are_there_is_taken(package: Path) -> None:
    check_build(package)
    (package / "plain.py").write_text("Y = 2\n")
    check_build(package)


def test_a_source_that_changed_since_is_named_with_what_to_do(package: Path) -> None:
    (package / "decide.py").write_text("X = 2\n")
    with pytest.raises(StaleBuild, match=r"^enrichment/decide\.py changed since being compiled.*make compile"):
        check_build(package)


def test_a_compiled_module_whose_source_is_gone_or_that_nobody_noted_is_refused(package: Path) -> None:
    (package / "decide.py").unlink()
    with pytest.raises(StaleBuild):
        check_build(package)
    (package / "decide.py").write_text("X = 1\n")
    (package / NOTE).unlink()
    with pytest.raises(StaleBuild):
        check_build(package)


def test_a_module_of_the_build_that_lost_its_compiled_form_is_refused(package: Path) -> None:
    (package / f"other{EXTENSION_SUFFIXES[0]}").touch()
    (package / "other.py").write_text("X = 1\n")
    (package / NOTE).write_text(json.dumps({"enrichment/other.py": sha256(b"X = 1\n").hexdigest()}))
    (package / f"decide{EXTENSION_SUFFIXES[0]}").unlink()
    check_build(package)
    digests = {f"enrichment/{name}.py": sha256(b"X = 1\n").hexdigest() for name in ("other", "decide")}
    (package / NOTE).write_text(json.dumps(digests))
    with pytest.raises(StaleBuild):
        check_build(package)
