"""What the environment may say, and what production refuses."""

from pathlib import Path
from typing import Any

import pytest

from service.installation_settings import load_settings, settings_class
from service.production import refuse_unsafe, remarks
from service.settings import BadSettings
from service.settings_report import described, unknown_variables, without_password

STRONG = "7f3a09c4d1e85b26a0f94c7d3e6b1852"
SAFE = {
    "environment": "production",
    "jwt_secret": STRONG,
    "database_url": "postgresql://enrich:pw@db/enrich",
    "redis_url": "redis://:pw@redis:6379/0",
}


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings_class().model_fields:
        monkeypatch.delenv(f"AUTO_ENRICHMENT_{name.upper()}", raising=False)


def faults(**changes: Any) -> str:
    """The faults of these settings, in one text."""
    with pytest.raises(BadSettings) as refusal:
        refuse_unsafe(load_settings(**changes))
    assert all("\n" not in fault for fault in refusal.value.faults)
    return "\n".join(refusal.value.faults)


def test_the_defaults_are_those_of_the_interface() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8000, Path(".data"))
    assert settings.database_url is None
    assert settings.redis_url is None
    assert settings.monthly_credit_grant == 1000
    assert settings.jwt_org_claim == "organizationId"
    assert not settings.production


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTO_ENRICHMENT_PORT", "9000")
    monkeypatch.setenv("AUTO_ENRICHMENT_ENVIRONMENT", "Production")
    monkeypatch.setenv("AUTO_ENRICHMENT_ALLOWED_ORIGINS", "https://crm.example, https://app.example/")
    monkeypatch.setenv("AUTO_ENRICHMENT_REDIS_URL", "")
    settings = load_settings()
    assert settings.port == 9000
    assert settings.production
    assert settings.allowed_origins == ("https://crm.example", "https://app.example")
    assert settings.redis_url is None


@pytest.mark.parametrize(
    "text",
    ['{"directory_archive": 2, "signals": 0}', "directory_archive=2,signals=0", " directory_archive = 2, signals=0,"],
)
def test_prices_are_pairs_or_json(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("AUTO_ENRICHMENT_PROVIDER_PRICES", text)
    assert load_settings().provider_prices == {"directory_archive": 2, "signals": 0}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "70000"),
        ("ENVIRONMENT", "staging"),
        ("DATABASE_URL", "mysql://db/x"),
        ("REDIS_URL", "http://redis"),
        ("PROVIDER_PRICES", "directory"),
        ("PROVIDER_PRICES", "directory=-1"),
        ("PROVIDER_PRICES", "directory=1.5"),
        ("PROVIDER_PRICES", "directory=10001"),
        ("PROVIDER_PRICES", "{"),
        ("MONTHLY_CREDIT_GRANT", "1000000001"),
        ("PROVIDER_PRICES", '{"directory": -1}'),
        ("ALLOWED_ORIGINS", "crm.example"),
        ("MAX_BODY_BYTES", "1"),
        ("MONTHLY_CREDIT_GRANT", "-1"),
        ("LOG_LEVEL", "loud"),
        ("METRICS", "perhaps"),
        ("PUBLIC_URL", "crm.example.com"),
        ("PUBLIC_URL", "http://crm.example.com"),
        ("PUBLIC_URL", "https://user:hunter2@crm.example.com"),
        ("PUBLIC_URL", "https://crm.example.com?x=1"),
        ("APOLLO_PHONES", "perhaps"),
    ],
)
def test_a_bad_setting_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"AUTO_ENRICHMENT_{name}", value)
    text = faults()
    assert text.startswith(f"AUTO_ENRICHMENT_{name}: ")
    assert len(text.splitlines()) == 1


def test_a_public_address_is_https_but_for_this_machine_while_developing() -> None:
    assert (
        load_settings(public_url="https://crm.example.com/enrichment/").public_url
        == "https://crm.example.com/enrichment"
    )
    local = "http://127.0.0.1:8000"
    assert load_settings(public_url=local).public_url == local
    assert "PUBLIC_URL: should be https" in faults(public_url=local, environment="production")
    assert "hunter2" not in faults(public_url="https://user:hunter2@crm.example.com")


def test_every_bad_setting_is_named_at_once() -> None:
    text = faults(port="abc", monthly_credit_grant="-5")
    assert "PORT" in text
    assert "MONTHLY_CREDIT_GRANT" in text


def test_a_bad_setting_does_not_show_a_secret() -> None:
    assert "hunter2" not in faults(database_url="mysql://root:hunter2@db/x", port="x")


def test_the_audit_log_is_sealed_with_given_keys_or_one_that_follows_from_the_encryption_key() -> None:
    assert not load_settings().audit_seals().keys
    master = "m" * 32
    [derived] = load_settings(encryption_key=master).audit_seals().keys
    assert derived.startswith("encryption-key-")
    given = load_settings(encryption_key=master, audit_seal_keys=f"b:{'t' * 32},a:{'s' * 32}")
    assert list(given.audit_seals().keys) == ["b", "a", derived]
    assert not load_settings(encryption_key=master, audit_seal_keys="none").audit_seals().keys
    for wrong in ("a:short", f"a://{'s' * 40}", "ssssssss"):
        with pytest.raises(BadSettings, match=r"AUDIT_SEAL_KEYS: .*(key|secret)") as refusal:
            load_settings(audit_seal_keys=wrong)
        assert "sss" not in str(refusal.value)
        assert "short" not in str(refusal.value)


def test_a_secret_and_a_key_set_exclude_each_other() -> None:
    assert "JWT_JWKS" in faults(jwt_secret=STRONG, jwt_jwks="keys.json")


def test_anything_goes_in_development() -> None:
    refuse_unsafe(load_settings(jwt_secret="x"), embedded=True)


def test_production_takes_safe_settings() -> None:
    refuse_unsafe(load_settings(**SAFE))
    refuse_unsafe(load_settings(**{**SAFE, "jwt_secret": None, "jwt_jwks": "https://salesos.example/keys"}))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"jwt_secret": None}, "JWT_SECRET"),
        ({"jwt_secret": STRONG[:-1]}, "JWT_SECRET"),
        ({"jwt_secret": "a" * 48}, "JWT_SECRET"),
        ({"jwt_secret": "ab" * 24}, "JWT_SECRET"),
        ({"jwt_secret": "changeme" * 6}, "JWT_SECRET"),
        ({"jwt_secret": "1" * 40 + "2345"}, "JWT_SECRET"),
        ({"jwt_secret": "0123456789abcdef" * 2}, "JWT_SECRET"),
        ({"jwt_secret": "7f3a09c4d1e85b26" * 2 + "7f3"}, "JWT_SECRET"),
        ({"jwt_secret": "abcdefghijklmnopqrstuvwxyz0123456789"}, "JWT_SECRET"),
        ({"jwt_secret": "A-String-Secret-At-Least-256-Bits-Long"}, "JWT_SECRET"),
        ({"jwt_secret": "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"}, "JWT_SECRET"),
        ({"jwt_secret": "Change-Me! and then deploy this to the cluster"}, "JWT_SECRET"),
        ({"jwt_secret_previous": "0123456789" * 4}, "JWT_SECRET_PREVIOUS"),
        ({"jwt_secret_previous": "short"}, "JWT_SECRET_PREVIOUS"),
        ({"jwt_secret": None, "jwt_jwks": "http://salesos.example/keys"}, "JWT_JWKS"),
        ({"database_url": None}, "DATABASE_URL"),
        ({"database_url": "sqlite:///data/x.db"}, "DATABASE_URL"),
        ({"redis_url": None}, "REDIS_URL"),
    ],
)
def test_production_refuses_what_is_unsafe(changes: dict[str, Any], named: str) -> None:
    text = faults(**{**SAFE, **changes})
    assert text.startswith(f"AUTO_ENRICHMENT_{named}: ")
    assert len(text.splitlines()) == 1


def test_a_placeholder_beside_a_whole_secret_is_taken() -> None:
    refuse_unsafe(load_settings(**{**SAFE, "jwt_secret": f"jwt-secret-{STRONG}"}))


def test_production_without_an_audience_is_warned_and_starts() -> None:
    without, any_audience = load_settings(**SAFE), load_settings(**SAFE, jwt_audience="any")
    refuse_unsafe(without)
    assert [remark for remark in remarks(without) if "JWT_AUDIENCE" in remark and "will not start" in remark]
    assert remarks(any_audience) == remarks(load_settings(**SAFE, jwt_audience="crm")) == remarks(load_settings()) == ()
    assert any_audience.needed_audience is None


@pytest.mark.parametrize("changes", [{}, {**SAFE, "jwt_audience": "crm"}])
def test_the_variable_by_which_proxies_were_believed_before_is_warned_of(changes: dict[str, Any]) -> None:
    (remark,) = remarks(load_settings(**changes), {"FORWARDED_ALLOW_IPS": "10.0.0.1"})
    assert "FORWARDED_ALLOW_IPS does nothing any more" in remark
    assert "AUTO_ENRICHMENT_TRUSTED_PROXIES" in remark
    assert remarks(load_settings(**changes), {"AUTO_ENRICHMENT_TRUSTED_PROXIES": "10.0.0.1"}) == ()


def test_production_is_never_embedded() -> None:
    with pytest.raises(BadSettings, match="embedded"):
        refuse_unsafe(load_settings(**SAFE), embedded=True)


def test_introspection_is_closed_in_production_unless_asked_for() -> None:
    assert load_settings().introspection_open
    assert not load_settings(introspection=False).introspection_open
    assert not load_settings(**SAFE).introspection_open
    assert load_settings(**SAFE, introspection=True).introspection_open


def test_a_variable_that_is_no_setting_is_noticed() -> None:
    environ = {"AUTO_ENRICHMENT_PROT": "1", "AUTO_ENRICHMENT_PORT": "1", "AUTO_ENRICHMENT_TOKEN": "x", "OTHER": "1"}
    assert unknown_variables(environ) == ["AUTO_ENRICHMENT_PROT"]


def test_every_setting_is_described_and_no_secret_is_shown() -> None:
    shown = list(described(load_settings(**SAFE, provider_prices={"directory": 1})))
    assert {name for name, _, _ in shown} == {
        f"AUTO_ENRICHMENT_{name.upper()}" for name in settings_class().model_fields
    }
    assert all(description for _, _, description in shown)
    text = str(shown)
    assert STRONG not in text
    assert ":pw@" not in text
    assert "postgresql://enrich:********@db/enrich" in text
    assert "directory=1" in text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:pw@host:1/0", "redis://:********@host:1/0"),
        ("redis://host/0?password=pw", "redis://host/0"),
        ("postgresql://u:p@w@host/db", "postgresql://u:********@host/db"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("sqlite:///a/b.db", "sqlite:///a/b.db"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown
