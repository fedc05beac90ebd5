"""The application as it is installed: the wheel holds all of it, and a start says when a name of ours is taken."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from auto_enrichment_command import PACKAGES
from tests.support.processes import ROOT
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.xdist_group("installed wheel")  # one worker makes what they share

FOREIGN = "NAMES = 'of somebody else'\n"
NO_PART = ("__pycache__", "*.pyc", "*.so", "compiled.json")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the wheel was installed into, built of the sources as they are."""
    sources = tmp_path_factory.mktemp("sources")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns(*NO_PART))
    for file in ("auto_enrichment_command.py", "setup.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE.md"):
        shutil.copy(ROOT / file, sources)
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--no-compile", "--target", str(target), str(sources)], check=True)
    return target


@pytest.fixture
def target(installed: Path, tmp_path: Path) -> Path:
    """The installed wheel, for a test to spoil."""
    return Path(shutil.copytree(installed, tmp_path / "target"))


def python(code: str, *paths: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run code where these folders come before everything else that is installed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "AUTO_ENRICHMENT_DATA_DIR": str(cwd)}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def start(*paths: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Start the command as the script of the wheel does."""
    code = "import sys; sys.argv[1:] = ['settings']; from auto_enrichment_command import main; sys.exit(main())"
    return python(code, *paths, cwd=cwd)


def foreign(folder: Path, name: str, *, distribution: str = "") -> Path:
    """Put a package of somebody else's into a folder, with the metadata of its distribution."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "__init__.py").write_text(FOREIGN)
    if distribution:
        metadata = folder / f"{distribution}-0.7.7.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.7.7\n")
        (metadata / "RECORD").write_text(f"{name}/__init__.py,,\n")
    return folder


def files_of(folder: Path, names: Iterable[str]) -> set[Path]:
    found = (path for name in names for path in (folder / name).rglob("*") if path.is_file())
    return {path.relative_to(folder) for path in found if path.suffix != ".pyc"}


def test_the_wheel_holds_every_file_of_every_package(installed: Path) -> None:
    assert files_of(installed, PACKAGES) == files_of(ROOT, PACKAGES)


def test_the_public_face_and_the_command_work_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    imported = python("import auto_enrichment; print(auto_enrichment.__file__)", installed, cwd=tmp_path)
    assert imported.stdout.strip() == str(installed / "auto_enrichment" / "__init__.py"), imported.stderr
    started = start(installed, cwd=tmp_path)
    assert started.returncode == 0, started.stderr
    assert "AUTO_ENRICHMENT_PORT=8000" in started.stdout


def test_a_distribution_that_overwrote_a_package_is_named_at_the_start(target: Path, tmp_path: Path) -> None:
    started = start(foreign(target, "schema", distribution="schema"), cwd=tmp_path)
    assert started.returncode == 1
    assert started.stderr == (
        "auto-enrichment: the package 'schema' of salesos-auto-enrichment has been taken by schema: "
        "install auto-enrichment into an environment of its own, with pipx, uv tool or a new virtual environment.\n"
    )
    assert started.stdout == ""


@pytest.mark.parametrize("name", PACKAGES)
def test_each_of_our_names_may_be_taken_by_a_package_that_comes_first(
    installed: Path, tmp_path: Path, name: str
) -> None:
    started = start(foreign(tmp_path / "first", name), installed, cwd=tmp_path)
    assert started.returncode == 1
    assert f"the package '{name}' of salesos-auto-enrichment has been taken by " in started.stderr
    assert len(started.stderr.splitlines()) == 1


def test_several_taken_names_are_one_sentence(installed: Path, tmp_path: Path) -> None:
    first = foreign(tmp_path / "first", "models", distribution="models")
    started = start(foreign(first, "service"), installed, cwd=tmp_path)
    assert (
        "the packages 'models' and 'service' of salesos-auto-enrichment have been taken by models: " in started.stderr
    )
