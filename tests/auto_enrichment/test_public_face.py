"""What plug-ins import: one package that holds all that they need, and the names of version 0.1, deprecated."""

import ast
import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

import auto_enrichment
from providers.api import Answer
from providers.http.adapter import Adapter
from providers.plugins import PluginContext
from tests.support.fake_http import FakeHttp, account, reply, values

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "smallest_provider" / "smallest_provider.py"
OLD_EXAMPLE = Path(__file__).with_name("plugin_of_version_0_1.txt")
DEPRECATED = {
    "enrichment.vocabulary": {"EntityType"},
    "providers.adapter": {"Adapter", "AsksExtra", "Http", "KeyCheck", "Limit", "LimitedApart", "Pending", "Reply"},
    "providers.base": {
        *("NO_MATCH", "Answer", "Finding", "Keyed", "Pending", "Provider", "ProviderError", "ProviderInfo", "Question")
    },
    "providers.identity": {"Told", "is_asked_company", "is_asked_person", "names_alike", "wrong_entity"},
    "providers.replies": {"OPTED_OUT", "Findings", "failure", "retry_after", "text", "unreadable"},
}


def test_every_name_of_the_public_face_is_listed_once_in_order_and_documented() -> None:
    public = {name for name, value in vars(auto_enrichment).items() if name[0] != "_" and type(value) is not ModuleType}
    assert set(auto_enrichment.__all__) == public
    constants = [name for name in auto_enrichment.__all__ if name.isupper()]
    classes = [name for name in auto_enrichment.__all__ if name[0].isupper() and not name.isupper()]
    functions = [name for name in auto_enrichment.__all__ if name.islower()]
    assert auto_enrichment.__all__ == [*sorted(constants), *sorted(classes), *sorted(functions)]
    assert all(getattr(auto_enrichment, name).__doc__ for name in (*classes, *functions))
    assert auto_enrichment.__doc__


def test_the_example_imports_only_the_public_face() -> None:
    imports = [
        node for node in ast.walk(ast.parse(EXAMPLE.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert [node.module for node in imports if isinstance(node, ast.ImportFrom)] == ["auto_enrichment"]
    assert len(imports) == 1


@pytest.fixture
def unimported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deprecated modules warn when they are first imported, so that each test has to be the first."""
    for name in DEPRECATED:
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.usefixtures("unimported")
@pytest.mark.parametrize("module", DEPRECATED)
def test_a_module_of_version_0_1_has_its_names_and_says_that_it_is_deprecated(module: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"^{module} is deprecated: import from auto_enrichment$"):
        found = importlib.import_module(module)
    assert set(found.__all__) >= DEPRECATED[module]
    assert all(hasattr(found, name) for name in found.__all__)


@pytest.mark.usefixtures("unimported")
async def test_a_plug_in_of_version_0_1_works() -> None:
    plugin = ModuleType("plugin_of_version_0_1")
    with pytest.warns(DeprecationWarning, match="import from auto_enrichment") as warnings:
        exec(compile(OLD_EXAMPLE.read_text(), str(OLD_EXAMPLE), "exec"), plugin.__dict__)  # noqa: S102 -- our own file
    assert {str(warning.message).split()[0] for warning in warnings} == set(DEPRECATED)
    assert all(warning.filename == str(OLD_EXAMPLE) for warning in warnings)  # whose import it was
    adapter: Adapter = plugin.make(PluginContext("smallest", {}))
    company = {"domain": "acme.test", "name": "Acme", "industry": "Machinery", "city": "Berlin"}
    answer = await adapter.look_up(account(domain="acme.test"), FakeHttp(reply(company), key="k"))
    assert isinstance(answer, Answer)
    assert values(answer) == {"industry": "Machinery", "city": "Berlin"}
