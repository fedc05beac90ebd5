"""The code of docs/recipes.md, by the name of the file that its first line gives it."""

import re
from pathlib import Path
from types import ModuleType

_PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"


def recipe_text(name: str) -> str:
    found = re.search(rf"```\w+\n((?:#|//) {re.escape(name)}.*?)```", _PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None, name
    return found[1]


def recipe(name: str) -> ModuleType:
    """A recipe in Python, imported."""
    module = ModuleType(name.removesuffix(".py"))
    exec(compile(recipe_text(name), name, "exec"), vars(module))  # noqa: S102 -- code of our own page
    return module
