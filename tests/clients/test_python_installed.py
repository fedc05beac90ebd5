"""The Python client is installed by itself: its wheel holds all that it needs but the packages that it names."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.processes import ROOT

SOURCES = ROOT / "clients" / "python"
NAMED = {"httpx", "pydantic", "websockets"}
USE = """
import importlib.util
from auto_enrichment_client import connect, live_events, verify
with connect("http://127.0.0.1:1", "token") as client:
    try:
        client.get_config()
    except Exception as error:
        print(type(error).__name__)
print([name for name in ("schema", "resolvers", "strawberry") if importlib.util.find_spec(name)])
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A folder that holds the client's wheel, built of the sources as they are, and the packages that it names."""
    sources, target = tmp_path / "sources", tmp_path / "target"
    shutil.copytree(SOURCES, sources, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--no-compile", "--target", str(target), str(sources)], check=True)
    needed = NAMED | {"anyio", "annotated_types", "certifi", "h11", "httpcore", "idna", "pydantic_core"}
    for name in needed | {"typing_extensions.py", "typing_inspection"}:
        (target / name).symlink_to(Path(httpx.__file__).parents[1] / name)
    return target


def test_the_wheel_works_without_the_service(target: Path) -> None:
    alone = [sys.executable, "-S", "-c", USE]
    environment = {**os.environ, "PYTHONPATH": str(target)}
    done = subprocess.run(alone, env=environment, cwd=target, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == (["ConnectError", "[]"], "")
    assert (target / "auto_enrichment_client" / "py.typed").exists()


def test_the_client_imports_what_it_names_and_nothing_else() -> None:
    imported: set[str] = set()
    for path in (SOURCES / "auto_enrichment_client").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported.update(name.name.partition(".")[0] for name in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
                imported.add(node.module.partition(".")[0])
    of_pydantic = {"pydantic_core"}
    assert imported - set(sys.stdlib_module_names) - {"auto_enrichment_client"} - of_pydantic == NAMED
