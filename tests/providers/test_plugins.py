"""Plug-ins: the smallest one is loaded as an installed package, and a broken one harms nobody."""

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from enrichment.enums import EntityType
from providers.api import Answer, ProviderError, ProviderInfo, Question
from providers.described.provider import load_described
from providers.plugins import GROUP, PluginContext, load_plugins
from tests.support.fake_http import FakeHttp, account, reply, values

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
INFO = ProviderInfo("acme", "Acme", {EntityType.ACCOUNT: frozenset({"industry"})}, "a domain")


class Asks:
    """A plug-in's provider that asks by its own means."""

    def __init__(self, info: Any = INFO) -> None:
        self.info = info

    def input_key(self, question: Question) -> str | None:
        return str(question.fields.get("domain"))

    async def ask(self, question: Question) -> Answer:
        return Answer(matched=False)


class Adapts(Asks):
    bases: Any = {"": "https://acme.test"}
    calls_per_minute: Any = 60

    async def look_up(self, question: Question, http: Any) -> Answer:
        return Answer(matched=False)

    async def poll(self, token: str, question: Question, http: Any) -> Answer:
        return Answer(matched=False)

    async def check_key(self, http: Any) -> Any: ...


@pytest.fixture
def strangers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a module of a third party holds, for entry points to name its factories."""
    module = ModuleType("strangers")
    monkeypatch.setitem(sys.modules, "strangers", module)
    return module.__dict__


def point(name: str, value: str = "") -> EntryPoint:
    return EntryPoint(name, value or f"strangers:{name}", GROUP)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example as pip would leave it: its module, and the metadata that its pyproject.toml makes."""
    example = EXAMPLES / "smallest_provider"
    project = tomllib.loads((example / "pyproject.toml").read_text())["project"]
    metadata = tmp_path / f"smallest_provider-{project['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    (tmp_path / "smallest_provider.py").write_bytes((example / "smallest_provider.py").read_bytes())
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("smallest_provider", None)


@pytest.mark.usefixtures("installed")
async def test_the_smallest_example_is_loaded_as_an_installed_package_and_answers() -> None:
    plugins = load_plugins({})
    assert plugins.faults == ()
    [adapter] = plugins.adapters
    assert adapter.info.id == "smallest"
    question = account(domain="acme.test")
    assert adapter.input_key(question) == "acme.test"
    company = {"domain": "acme.test", "name": "Acme", "industry": "Machinery", "city": "Berlin"}
    http = FakeHttp(reply(company), reply(company | {"domain": "other.test"}), reply(None, 402), key="k")
    assert values(await adapter.look_up(question, http)) == {"industry": "Machinery", "city": "Berlin"}
    assert (http.sent[0].params, http.sent[0].headers) == ({"domain": "acme.test"}, {"X-Api-Key": "k"})
    missed = await adapter.look_up(question, FakeHttp(reply(None, 404)))
    assert missed == Answer(matched=False)
    for code in ("wrong_entity", "out_of_credits"):
        with pytest.raises(ProviderError) as refused:
            await adapter.look_up(question, http)
        assert refused.value.code == code
    assert (await adapter.check_key(http)).valid
    assert adapter.calls_per_minute == 60


def test_the_example_of_a_description_can_be_used() -> None:
    [provider] = load_described(EXAMPLES / "described_provider.json")
    assert provider.info.id == "inhouse_erp"


def test_a_factory_may_return_a_provider_or_an_adapter(strangers: dict[str, Any]) -> None:
    strangers["asks"] = lambda context: Asks()
    strangers["adapts"] = lambda context: Adapts(ProviderInfo("other", "Other", INFO.gives, "a domain"))
    plugins = load_plugins({}, found=[point("asks"), point("adapts")])
    assert [provider.info.id for provider in plugins.providers] == ["acme"]
    assert [adapter.info.id for adapter in plugins.adapters] == ["other"]


def test_a_factory_is_told_its_own_settings_and_its_key_apart(strangers: dict[str, Any]) -> None:
    told: list[PluginContext] = []

    def make(context: PluginContext) -> Asks:
        told.append(context)
        return Asks()

    strangers["make"] = make
    environment = {
        "AUTO_ENRICHMENT_MY_ERP_REGION": "eu",
        "auto_enrichment_my_erp_page_size": "5",
        "AUTO_ENRICHMENT_MY_ERP_API_KEY": "s3cret",
        "AUTO_ENRICHMENT_MY_ERP_": "nameless",
        "AUTO_ENRICHMENT_APOLLO_API_KEY": "s3cret",
        "PATH": "/bin",
    }
    load_plugins(environment, found=[point("my-erp", "strangers:make")], development=True)
    assert told == [PluginContext("my-erp", {"region": "eu", "page_size": "5"}, development=True, api_key="s3cret")]
    assert "s3cret" not in repr(told)


def raising(error: BaseException) -> Any:
    def make(context: PluginContext) -> Any:
        raise error

    return make


class Unreadable(Asks):
    @property
    def info(self) -> Any:
        raise RuntimeError("s3cret")

    @info.setter
    def info(self, value: Any) -> None: ...


def adapter_with(**changes: Any) -> Any:
    made = Adapts()
    for name, value in changes.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (raising(RuntimeError("s3cret")), "it raised RuntimeError"),
        (raising(SystemExit(1)), "it raised SystemExit"),
        (raising(RecursionError()), "it raised RecursionError"),
        ("no factory", "the entry point names nothing that can be called"),
        (lambda context: None, "what it says of itself cannot be read (AttributeError)"),
        (lambda context: Unreadable(), "what it says of itself cannot be read (RuntimeError)"),
        (lambda: Asks(), "it raised TypeError"),
        (lambda context: Asks({"id": "acme"}), "its info is no ProviderInfo"),
        (lambda context: Asks(ProviderInfo("Acme", "A", INFO.gives, "x")), "its id should be 2 to 40 small letters"),
        (lambda context: Asks(ProviderInfo("acme", "", INFO.gives, "x")), "its id, name and needs should be texts"),
        (lambda context: Asks(ProviderInfo("apollo", "A", INFO.gives, "x")), "apollo is the id of another provider"),
        (lambda context: Asks(ProviderInfo("acme", "A", {}, "x")), "it gives nothing"),
        (
            lambda context: Asks(ProviderInfo("acme", "A", {EntityType.LEAD: frozenset({"mood"})}, "x")),
            "it gives mood, which is no field of lead",
        ),
        (
            lambda context: Asks(ProviderInfo("acme", "A", {"deal": frozenset({"x"})}, "x")),  # type: ignore[dict-item]  # a stranger's mistake
            "what it says of itself cannot be read (ValueError)",
        ),
        (lambda context: Asks(ProviderInfo("acme", "A", INFO.gives, "x", price=-1)), "its price should be a whole"),
        (lambda context: adapter_with(bases={}), "its bases have no main one"),
        (lambda context: adapter_with(bases={"": None}), "its bases are no addresses by name"),
        (lambda context: adapter_with(calls_per_minute=0), "its calls_per_minute should be a whole number from 1"),
        (lambda context: adapter_with(look_up=None, ask=None), "it is neither a provider nor an adapter"),
    ],
)
def test_a_broken_plug_in_is_reported_and_the_others_go_on(strangers: dict[str, Any], made: Any, reason: str) -> None:
    strangers["broken"] = made
    strangers["sound"] = lambda context: Asks(ProviderInfo("sound", "S", INFO.gives, "x"))
    plugins = load_plugins({}, taken_ids=("apollo",), found=[point("broken"), point("sound")])
    assert [provider.info.id for provider in plugins.providers] == ["sound"]
    [fault] = plugins.faults
    assert fault.name == "broken"
    assert fault.reason.startswith(reason)
    assert "s3cret" not in fault.reason


def test_a_plug_in_that_cannot_be_imported_is_reported() -> None:
    plugins = load_plugins({}, found=[point("gone", "no_such_module_anywhere:make"), point("none", "json:no_such")])
    assert [fault.reason for fault in plugins.faults] == ["it raised ModuleNotFoundError", "it raised AttributeError"]


def test_of_two_plug_ins_with_one_id_the_first_by_name_stays(strangers: dict[str, Any]) -> None:
    strangers["a"] = strangers["b"] = lambda context: Asks()
    plugins = load_plugins({}, found=[point("b"), point("a")])
    assert len(plugins.providers) == 1
    assert [(fault.name, fault.reason) for fault in plugins.faults] == [("b", "acme is the id of another provider")]


def test_no_plug_ins_are_no_faults() -> None:
    plugins = load_plugins({}, found=[])
    assert (plugins.providers, plugins.adapters, plugins.faults) == ((), (), ())
