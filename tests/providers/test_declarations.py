"""Paid providers: each is one folder, and what an installation knows of it follows from what the folder declares."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from arq.connections import ArqRedis

import providers
from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from providers.api import Answer, Question
from providers.declaration import AdapterContext, ProviderSetting
from providers.registry import declared_providers
from service.installation_settings import load_settings, settings_class
from service.provider_settings import declared_settings
from service.settings import BadSettings
from service.settings_report import described, unknown_variables
from service.sources import open_sources
from tests.support.fake_http import values
from tests.support.standin_server import json_reply, standin_server
from tools import provider_table

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-provider.md"
FILES = re.compile(r"```python\n# (providers/acme/\w+\.py)\n(.*?)```", re.DOTALL)


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings_class().model_fields:
        monkeypatch.delenv(f"AUTO_ENRICHMENT_{name.upper()}", raising=False)


def _forget_declarations() -> None:
    declared_providers.cache_clear()
    settings_class.cache_clear()
    for name in [name for name in sys.modules if name.startswith("providers.acme")]:
        del sys.modules[name]


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a seventh paid provider, beside those of the six: as the documentation has it."""
    folder = tmp_path / "providers" / "acme"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    for path, content in FILES.findall(PAGE.read_text(encoding="utf-8")):
        (tmp_path / path).write_text(content)
    assert {path.name for path in folder.iterdir()} == {"__init__.py", "adapter.py", "declaration.py"}
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(folder.parent)])
    _forget_declarations()
    yield folder
    monkeypatch.undo()
    _forget_declarations()


def test_paid_providers_are_found_in_the_order_in_which_they_are_asked() -> None:
    ids = [declaration.info.id for declaration in declared_providers()]
    assert ids == ["apollo", "peopledatalabs", "hunter", "zoominfo", "crunchbase", "clearbit"]


def test_paid_providers_give_only_fields_of_the_catalogue_that_may_be_wanted() -> None:
    for declaration in declared_providers():
        info = declaration.info
        assert info.needs
        assert info.attribution
        for entity_type, names in info.gives.items():
            assert all(fields_of(entity_type)[name].enrichable for name in names), info.id


async def test_a_seventh_paid_provider_is_one_folder(
    db: str, acme: Path, redis: ArqRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with standin_server() as server:
        company = {"domain": "acme.com", "name": "Acme", "sector": "Machinery", "town": "Berlin"}
        server.script("/us/companies", json_reply(company))
        monkeypatch.setenv("AUTO_ENRICHMENT_ACME_API_KEY", "s3cret-key-of-acme")
        monkeypatch.setenv("AUTO_ENRICHMENT_ACME_BASE_URL", server.url)
        monkeypatch.setenv("AUTO_ENRICHMENT_ACME_REGION", "us")
        monkeypatch.setenv("AUTO_ENRICHMENT_PROVIDER_PRICES", "acme=5")
        settings = load_settings(data_dir=tmp_path / "data")
        sources = open_sources(settings, redis)
        assert sources.registry.ids()[-2:] == ("clearbit", "acme")
        assert sources.shared_keys == {"acme"}
        assert "acme" not in sources.registry.off
        source = sources.registry.get("acme")
        assert source is not None
        assert source.info.price == 5
        answer = await source.ask(Question(EntityType.ACCOUNT, {"domain": "acme.com"}, frozenset({"city"}), "org"))
        await sources.http_client.close()
        assert isinstance(answer, Answer)
        assert values(answer) == {"industry": "Machinery", "city": "Berlin"}
        (call,) = server.calls_to("/us/companies")
        assert (call.headers["x-key"], call.query) == ("s3cret-key-of-acme", {"domain": "acme.com"})
    rows = {name: (value, purpose) for name, value, purpose in described(settings)}
    assert rows["AUTO_ENRICHMENT_ACME_API_KEY"] == ("********", "key of Acme for organizations without their own")
    assert rows["AUTO_ENRICHMENT_ACME_BASE_URL"] == (server.url, "address in place of Acme's own")
    assert rows["AUTO_ENRICHMENT_ACME_REGION"] == ("us", "where Acme looks companies up: eu or us; default: eu")
    assert unknown_variables() == []
    assert "| Acme | `acme` |" in provider_table.table()


async def test_without_a_key_a_paid_provider_is_off_in_a_new_organization(
    acme: Path, redis: ArqRedis, tmp_path: Path
) -> None:
    assert "acme" in open_sources(load_settings(data_dir=tmp_path / "data"), redis).registry.off


@pytest.mark.parametrize(
    ("declaration", "fault"),
    [
        ("DECLARATION = None", "providers.acme.declaration holds no DECLARATION"),
        (
            "from providers.hunter.declaration import DECLARATION",
            "providers.acme.declaration: the id of its provider is hunter, and should be the folder's name",
        ),
    ],
)
def test_a_declaration_that_cannot_be_used_is_named(acme: Path, declaration: str, fault: str) -> None:
    (acme / "declaration.py").write_text(declaration)
    with pytest.raises(ValueError, match=fault):
        declared_providers()


def test_a_provider_without_a_key_or_a_network_is_not_declared_as_a_paid_one(acme: Path) -> None:
    adapter = acme / "adapter.py"
    adapter.write_text(adapter.read_text().replace("needs_key=True", "needs_key=False"))
    with pytest.raises(ValueError, match="should be remote and need a key"):
        declared_providers()


@pytest.mark.parametrize("name", ["api_key", "base_url", "Region", ""])
def test_a_setting_of_its_own_has_a_name_of_its_own(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        ProviderSetting(name, str, "where it looks")


@pytest.mark.parametrize(
    ("public_url", "phones", "from_before", "asks"),
    [
        (None, None, False, False),
        ("https://x.example", None, False, False),
        ("https://x.example", None, True, True),
        (None, None, True, False),
        (None, True, False, True),
        ("https://x.example", True, False, True),
        ("https://x.example", False, True, False),
    ],
)
async def test_phones_are_asked_for_where_an_operator_says_so(
    redis: ArqRedis, tmp_path: Path, public_url: str | None, phones: bool | None, from_before: bool, asks: bool
) -> None:
    settings = load_settings(public_url=public_url, apollo_phones=phones, data_dir=tmp_path / "data")
    info = open_sources(settings, redis, paid_callbacks=from_before).registry.info("apollo")
    assert info is not None
    assert info.extra_price == (8 if asks else 0)


async def test_the_price_of_a_phone_is_the_operators(redis: ArqRedis, tmp_path: Path) -> None:
    prices = {"apollo_phones": 5}
    sources = open_sources(load_settings(apollo_phones=True, provider_prices=prices, data_dir=tmp_path), redis)
    info = sources.registry.info("apollo")
    assert info is not None
    assert info.extra_price == 5
    with pytest.raises(BadSettings, match="no provider hunter_phones"):
        open_sources(load_settings(provider_prices={"hunter_phones": 5}, data_dir=tmp_path), redis)


def test_a_switch_of_a_provider_is_read_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    apollo = declared_providers()[0]
    monkeypatch.setenv("AUTO_ENRICHMENT_APOLLO_PHONES", "no")
    assert declared_settings(load_settings(), apollo).own == {"phones": False}
    assert (
        apollo.make(AdapterContext({"phones": None}, receives_callbacks=True, paid_callbacks=True)).info.extra_price
        == 8
    )


def test_the_table_of_providers_in_the_readme_is_what_they_declare() -> None:
    assert provider_table.table() in provider_table.README.read_text(encoding="utf-8"), "run `make readme`"
