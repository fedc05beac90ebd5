"""Which providers an installation has, with which keys and addresses, and a paid one at work from end to end."""

import json
import stat
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType, StepOutcome
from models.db.statements import query
from providers import plugins
from providers.api import NO_MATCH, Answer, ProviderError, ProviderInfo, Question
from providers.http.adapter import Http, KeyCheck
from resolvers.config import get_config
from resolvers.provider.api import list_providers
from resolvers.provider.api import test_provider as try_provider
from resolvers.provider.keys import set_provider_key
from service.installation_settings import load_settings, settings_class
from service.provider_settings import listed, unknown
from service.settings import BadSettings
from service.sources import Sources, open_sources
from tests.support.factories import configure, context, job_of, send, services, work
from tests.support.standin_server import json_reply, sampled, standin_server

PAID = ("apollo", "peopledatalabs", "hunter", "zoominfo", "crunchbase", "clearbit")
KEY = "s3cret-key-of-everybody"


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings_class().model_fields:
        monkeypatch.delenv(f"AUTO_ENRICHMENT_{name.upper()}", raising=False)


def opened(redis: ArqRedis, tmp_path: Path, **changes: Any) -> Sources:
    return open_sources(load_settings(data_dir=tmp_path / "data", **changes), redis)


class Elsewhere:
    """An adapter of a plug-in, at an address that none may have."""

    bases: Mapping[str, str] = {"": "http://plain.example"}
    calls_per_minute = 60
    info = ProviderInfo("elsewhere", "Elsewhere", {EntityType.ACCOUNT: frozenset({"name"})}, "a name")

    def input_key(self, question: Question) -> str | None:
        return None

    async def look_up(self, question: Question, http: Http) -> Answer:
        return NO_MATCH

    async def poll(self, token: str, question: Question, http: Http) -> Answer:
        return NO_MATCH

    async def check_key(self, http: Http) -> KeyCheck:
        return KeyCheck(valid=True, detail="")


def make_elsewhere(_: plugins.PluginContext) -> Elsewhere:
    return Elsewhere()


async def test_paid_providers_come_after_the_free_ones_and_are_watched(redis: ArqRedis, tmp_path: Path) -> None:
    registry = opened(redis, tmp_path).registry
    assert registry.ids() == ("directory", "directory_archive", "signals", *PAID)
    assert all(provider.info.remote and provider.info.needs_key for provider in registry if provider.info.id in PAID)


async def test_a_new_organization_starts_with_the_paid_providers_off_but_those_with_a_key(
    db: str, redis: ArqRedis, tmp_path: Path
) -> None:
    sources = opened(redis, tmp_path, hunter_api_key=KEY, clearbit_api_key=KEY)
    assert sources.shared_keys == {"hunter", "clearbit"}
    shared = services(redis, *sources.registry)
    shared.registry = sources.registry
    rules = (await get_config(context(shared))).config.providers
    assert [rule.id for rule in rules] == list(sources.registry.ids())
    # Clearbit takes no new customers: who has an account says so.
    assert {rule.id for rule in rules if not rule.enabled} == set(PAID) - {"hunter"}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"apollo_base_url": "http://apollo.example"}, "AUTO_ENRICHMENT_APOLLO_BASE_URL: the address of apollo should"),
        ({"provider_prices": {"nobody": 1}}, "AUTO_ENRICHMENT_PROVIDER_PRICES: no provider nobody"),
        (
            {"public_url": "https://crm.example.com", "environment": "production"},
            "AUTO_ENRICHMENT_PUBLIC_URL: needs AUTO_ENRICHMENT_ENCRYPTION_KEY",
        ),
        ({"ca_file": Path("absent.pem")}, "AUTO_ENRICHMENT_CA_FILE: absent.pem cannot be read"),
        ({"described_providers": Path("absent.json")}, "AUTO_ENRICHMENT_DESCRIBED_PROVIDERS: absent.json"),
    ],
)
async def test_a_setting_that_cannot_be_is_named_at_the_start(
    redis: ArqRedis, tmp_path: Path, changes: dict[str, Any], fault: str
) -> None:
    with pytest.raises(BadSettings) as refusal:
        opened(redis, tmp_path, **changes)
    assert fault in str(refusal.value)


async def test_a_server_of_this_machine_is_no_address_in_production(redis: ArqRedis, tmp_path: Path) -> None:
    base = "http://127.0.0.1:9"
    assert opened(redis, tmp_path, apollo_base_url=base).registry.get("apollo") is not None
    with pytest.raises(BadSettings):
        opened(redis, tmp_path, apollo_base_url=base, environment="production")


async def test_a_price_of_the_operator_counts_for_paid_and_free_providers(redis: ArqRedis, tmp_path: Path) -> None:
    registry = opened(redis, tmp_path, provider_prices={"apollo": 3, "signals": 1}).registry
    assert [registry.get(name).info.price for name in ("apollo", "signals")] == [3, 1]  # type: ignore[union-attr] # both are there


async def test_a_price_of_the_operator_is_known_as_such(redis: ArqRedis, tmp_path: Path) -> None:
    """It stays the charge, whatever an answer says that it consumed."""
    registry = opened(redis, tmp_path, provider_prices={"apollo": 1}).registry
    infos = [registry.info(name) for name in ("apollo", "peopledatalabs")]
    assert [info is not None and info.operator_priced for info in infos] == [True, False]


async def test_what_seals_keys_is_made_once_in_development_and_given_in_production(
    redis: ArqRedis, tmp_path: Path
) -> None:
    first, second = opened(redis, tmp_path).secret_box, opened(redis, tmp_path).secret_box
    assert first is not None
    assert second is not None
    assert second.unseal(first.seal("a key", context="x"), context="x") == "a key"
    assert stat.S_IMODE((tmp_path / "data" / "encryption-key").stat().st_mode) == 0o600
    assert opened(redis, tmp_path, environment="production").secret_box is None
    given = opened(redis, tmp_path, environment="production", encryption_key="k" * 32).secret_box
    assert given is not None
    with pytest.raises(BadSettings, match="ENCRYPTION_KEY: should be 32 bytes or more") as refusal:
        load_settings(encryption_key="too-short")
    assert "too-short" not in str(refusal.value)


async def test_a_plug_in_at_an_unfit_address_is_left_out_and_the_service_starts(
    redis: ArqRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("elsewhere", f"{__name__}:make_elsewhere", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point])
    assert opened(redis, tmp_path).registry.ids() == ("directory", "directory_archive", "signals", *PAID)


ERP = {
    "id": "erp",
    "name": "ERP",
    "entityTypes": ["account"],
    "request": {"url": "https://erp.example.com/companies?q={domain}"},
    "auth": {"header": "X-Key", "value": "{key}"},
    "fields": {"numberOfEmployees": "size"},
}


async def test_described_providers_and_plug_ins_take_key_and_address_from_the_environment(
    db: str, redis: ArqRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "erp.json").write_text(json.dumps(ERP))
    point = EntryPoint("elsewhere", f"{__name__}:make_elsewhere", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point])
    with standin_server() as server:
        monkeypatch.setenv("AUTO_ENRICHMENT_ERP_API_KEY", KEY)
        monkeypatch.setenv("AUTO_ENRICHMENT_ERP_BASE_URL", server.url)
        monkeypatch.setenv("auto_enrichment_elsewhere_base_url", server.url)
        monkeypatch.setenv("AUTO_ENRICHMENT_ELSEWHERE_REGION", "eu")
        monkeypatch.setenv("AUTO_ENRICHMENT_ELSEWHERE_TOKEN", KEY)
        monkeypatch.setenv("AUTO_ENRICHMENT_ERP_KEY", "misnamed")
        server.script("/companies", json_reply({"size": 12}))
        settings = load_settings(data_dir=tmp_path / "data", described_providers=tmp_path / "erp.json")
        sources = open_sources(settings, redis)
        assert sources.registry.ids()[-2:] == ("erp", "elsewhere")
        assert "erp" in sources.shared_keys
        erp = sources.registry.get("erp")
        assert erp is not None
        await erp.ask(Question(EntityType.ACCOUNT, {"domain": "acme.com"}, frozenset({"numberOfEmployees"}), "acme"))
        await sources.http_client.close()
        assert server.calls[0].headers["x-key"] == KEY
    assert unknown(settings) == ["AUTO_ENRICHMENT_ERP_KEY"]
    rows = {name: (value, purpose) for name, value, purpose in listed(settings)}
    assert rows["AUTO_ENRICHMENT_ERP_API_KEY"] == ("********", "key of erp for organizations without their own")
    assert rows["AUTO_ENRICHMENT_ERP_BASE_URL"][0] == server.url
    assert rows["AUTO_ENRICHMENT_ELSEWHERE_API_KEY"][0] == ""
    assert rows["AUTO_ENRICHMENT_ELSEWHERE_REGION"] == ("eu", "setting of the plug-in elsewhere")
    assert KEY not in str(rows)
    assert len(rows) == 6


async def test_an_address_that_a_described_provider_cannot_have_is_named_at_the_start(
    redis: ArqRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "erp.json").write_text(json.dumps(ERP))
    monkeypatch.setenv("AUTO_ENRICHMENT_ERP_BASE_URL", "http://erp.example.com")
    with pytest.raises(BadSettings, match="AUTO_ENRICHMENT_ERP_BASE_URL: the address of erp should be https"):
        opened(redis, tmp_path, described_providers=tmp_path / "erp.json")


async def test_descriptions_that_cannot_be_read_make_no_second_fault(tmp_path: Path) -> None:
    settings = load_settings(described_providers=tmp_path / "absent.json")
    assert list(listed(settings, {})) == []
    assert unknown(settings, {"AUTO_ENRICHMENT_PROT": "1"}) == ["AUTO_ENRICHMENT_PROT"]


async def test_a_record_is_filled_by_a_paid_provider_with_the_organizations_own_key(
    db: str, redis: ArqRedis, tmp_path: Path
) -> None:
    with standin_server() as server:
        server.script("/v2/companies/find", sampled("clearbit", "company_found"))
        sources = opened(redis, tmp_path, clearbit_base_url=server.url)
        shared = services(redis)
        shared.registry, shared.secret_box = sources.registry, sources.secret_box
        shared.shared_keys = sources.shared_keys
        acme = context(shared)
        with_rules = [{"id": "clearbit", "enabled": True}]
        await configure(acme, providers=with_rules)
        await set_provider_key(acme, "clearbit", "key-of-acme")
        outcome = await send(acme, "account", "a1", domain="example.com")
        await work(shared)
        await sources.http_client.close()
        (step,) = (await job_of(outcome)).steps
        assert (step.outcome, step.provider, step.credits_charged) == (StepOutcome.MATCH, "clearbit", 1)
        (call,) = server.calls
        assert call.headers["authorization"] == "Bearer key-of-acme"
    assert "key-of-acme" not in str(await query("SELECT * FROM provider_key")) + str(await query("SELECT * FROM step"))


async def test_trying_a_provider_without_a_key_says_so(db: str, redis: ArqRedis, tmp_path: Path) -> None:
    sources = opened(redis, tmp_path)
    shared = services(redis)
    shared.registry = sources.registry
    tried = await try_provider(context(shared), "hunter")
    assert not tried.ok
    assert tried.detail == "there is no key for Hunter"
    views = {view.id: view for view in await list_providers(context(shared))}
    assert not views["hunter"].configured
    source = sources.registry.get("hunter")
    assert source is not None
    with pytest.raises(ProviderError, match="no key"):
        await source.ask(Question(EntityType.LEAD, {"email": "a@b.de"}, frozenset({"title"}), "acme"))
