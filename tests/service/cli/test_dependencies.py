"""What the packages import is what the distribution depends on: a clean environment has no tools of ours."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from auto_enrichment_command import PACKAGES
from tests.support.processes import ROOT


def test_every_library_that_is_imported_is_a_dependency_of_the_distribution() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    distributions = packages_distributions()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            extra = _OF_AN_EXTRA.get(path.relative_to(ROOT).as_posix())
            declared = project["dependencies"] + (project["optional-dependencies"][extra] if extra else [])
            depended_on = {_plain(re.split(r"[^\w.-]", requirement)[0]) for requirement in declared}
            for name in _imported(ast.parse(path.read_text())):
                if name in sys.stdlib_module_names | _LATER or name in PACKAGES:
                    continue
                known = {_plain(distribution) for distribution in distributions.get(name, ())}
                assert known & (depended_on | _OF_OTHERS.get(name, set())), f"{path} imports {name}"


_LATER = {"compression"}  # of Python itself from 3.14 on
# What a dependency of ours, or an extra of it, brings along.
_OF_OTHERS = {name: {name} for name in ("asyncpg", "cryptography", "pydantic", "yarl")} | {"graphql": {"graphql-core"}}

_OF_AN_EXTRA = {"service/tracing.py": "tracing"}  # loaded only where a setting asks for it


def _plain(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found
