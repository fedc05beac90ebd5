"""`doctor`: what works, what should not stay so, and what does not work; it changes nothing."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from arq.connections import ArqRedis

from enrichment.enums import BreakerState, OpenReason
from models.provider_state import change_state
from service.doctor import Finding, Verdict, examine
from service.doctor import _settings as doctor_settings
from service.installation_settings import load_settings
from service.runtime import Runtime
from service.settings import Settings
from tests.support.factories import context, send
from tests.support.processes import command
from workers.heartbeat import beat

ENVIRONMENTS = ("production", "development")


async def found(settings: Settings) -> dict[str, Finding]:
    return {finding.subject: finding async for finding in examine(settings)}


@pytest.fixture
def settings(tmp_path: Path, database_url: str, redis_url: str) -> Settings:
    return load_settings(data_dir=tmp_path / "data", database_url=database_url, redis_url=redis_url)


@pytest.fixture
async def at_work(settings: Settings, redis: ArqRedis) -> AsyncIterator[Runtime]:
    """A service with a worker, a waiting job and a refused key, which has stopped."""
    async with Runtime(settings) as runtime:
        await send(context(runtime.services), "account", "A1", domain="acme.com")
        broken = partial(replace, state=BreakerState.OPEN, reason=OpenReason.BAD_KEY)
        await change_state("acme", "apollo", broken, runtime.services.now())
        await beat(redis, "worker-1")
        yield runtime


async def test_what_works_is_said_with_what_to_see_to(at_work: Runtime) -> None:
    settings = at_work.settings
    await at_work.close()
    findings = await found(settings)
    assert {subject for subject, finding in findings.items() if finding.verdict is Verdict.OK} >= {
        "settings",
        "database",
        "schema",
        "queue",
        "redis",
        "workers",
    }
    assert findings["providers"].verdict is Verdict.WARNING
    assert findings["providers"].words == "apollo is not asked for 1 organization(s): bad key"


async def test_stores_that_are_away_are_named_and_end_nothing(tmp_path: Path) -> None:
    (tmp_path / "not-a-database").write_text("not a database, but long enough to be looked into\n" * 40)
    away = load_settings(
        data_dir=tmp_path / "data",
        database_url=f"sqlite://{tmp_path / 'not-a-database'}",
        redis_url="redis://127.0.0.1:1",
    )
    findings = await found(away)
    assert (findings["database"].verdict, findings["redis"].verdict) == (Verdict.FAULT, Verdict.FAULT)


async def test_production_without_what_it_needs_is_named(tmp_path: Path) -> None:
    bare = load_settings(data_dir=tmp_path / "data", environment="production", jwt_jwks="https://keys.example/jwks")
    words = [finding.words async for finding in examine(bare) if finding.subject == "settings"]
    for named in ("DATABASE_URL", "REDIS_URL", "JWT_AUDIENCE", "ENCRYPTION_KEY"):
        assert [text for text in words if named in text]


async def test_a_variable_that_does_nothing_any_more_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    named = [finding async for finding in examine(settings) if "FORWARDED_ALLOW_IPS" in finding.words]
    assert [(finding.subject, finding.verdict) for finding in named] == [("settings", Verdict.WARNING)]


@pytest.mark.parametrize(
    ("host", "proxies", "warned"),
    [
        ("0.0.0.0", None, True),  # noqa: S104 -- as in the image
        ("::", "127.0.0.1,::1", True),
        ("0.0.0.0", "10.0.0.0/8", False),  # noqa: S104
        ("0.0.0.0", "none", False),  # noqa: S104
        ("127.0.0.1", None, False),
        ("localhost", None, False),
    ],
)
def test_production_that_believes_no_proxy_of_another_machine_is_warned_of(
    tmp_path: Path, host: str, proxies: str | None, *, warned: bool
) -> None:
    changes = {"host": host} | ({"trusted_proxies": proxies} if proxies else {})
    production, other = (load_settings(data_dir=tmp_path, environment=name, **changes) for name in ENVIRONMENTS)
    named = [finding.verdict for finding in doctor_settings(production) if "TRUSTED_PROXIES" in finding.words]
    assert named == [Verdict.WARNING] * warned
    assert not [finding for finding in doctor_settings(other) if "TRUSTED_PROXIES" in finding.words]


def test_it_changes_nothing_and_says_by_its_status_whether_something_is_broken(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    fine = command("doctor", data_dir=data_dir)
    assert (fine.returncode, "none in" in fine.stdout) == (0, True)
    assert not data_dir.exists()
    broken = command("doctor", data_dir=data_dir, AUTO_ENRICHMENT_REDIS_URL="redis://127.0.0.1:1")
    assert (broken.returncode, "fault    redis" in broken.stdout) == (1, True)
