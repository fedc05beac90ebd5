"""The sources of data this installation has, as the organization uses them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from enrichment.enums import BreakerState, EntityType
from enrichment.learn.trust import SourceTrust
from enrichment.waterfall.breaker import OPEN_REASON_TEXTS
from models.db.transaction import unit_of_work
from models.provider_key import ProviderKeyRow, keys_of
from models.provider_state import ProviderStateRow, close_breaker, credits_are_back, states_of
from models.stats import ProviderCalls, calls_ever
from providers.api import ProviderError, ProviderInfo
from providers.http.adapter import KeyCheck
from resolvers.audit import note_change
from resolvers.conflict.trust import trust_of
from resolvers.context import Context, Role
from resolvers.errors import NotFound
from resolvers.events.publisher import announce
from resolvers.organizations import config_of, organization_of


@runtime_checkable
class Checked(Protocol):
    """A provider whose key can be checked."""

    async def check_key(self, organization_id: str) -> KeyCheck: ...


@runtime_checkable
class Paced(Protocol):
    """A provider that leaves an account alone for as long as its replies ask for."""

    async def forget_pauses(self, organization_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class FieldTrust:
    """What people's decisions say about one provider's values for one field."""

    entity_type: EntityType
    field: str
    trust: SourceTrust


@dataclass(frozen=True, slots=True)
class ProviderView:
    """One provider: what it gives and costs, how well it does, whether it is asked just now.

    `price` is credits a match; one that brings a field of `extra_for` costs `extra_price` more. `position` is its place
    in the waterfall from 1, or 0 where the configuration does not name it. `configured`: it has the key it needs.
    `not_asked_because` is why it is not asked just now, in plain words. `state` is its circuit breaker's; `healthy`
    that it is closed. `paused_until`: it asked for no calls until then. Latencies are in milliseconds. `credits_left`
    is what the provider last said. `answer_days` and `miss_days`: how many days a kept match and a kept "no match" may
    be reused; None: its answers are not kept, it is asked each time.
    """

    id: str
    name: str
    enabled: bool
    position: int
    price: int
    counts_misses: bool
    answer_days: int | None
    miss_days: int | None
    extra_price: int
    extra_for: dict[EntityType, list[str]]
    gives: dict[EntityType, list[str]]
    needs: str
    attribution: str
    remarks: list[str]
    asked: int
    matched: int
    match_rate: float | None
    needs_key: bool
    configured: bool
    not_asked_because: str | None
    key_last_four: str | None
    healthy: bool
    state: BreakerState
    state_reason: str | None
    state_until: datetime | None
    paused_until: datetime | None
    latency_p50_ms: int | None
    latency_p95_ms: int | None
    credits_left: float | None
    last_error_code: str | None
    last_error_message: str | None
    last_error_at: datetime | None
    trust: list[FieldTrust]


@dataclass(frozen=True, slots=True)
class ProviderTest:
    """What trying a provider told; nothing is spent on it."""

    provider: str
    ok: bool
    detail: str
    credits_left: float | None = None
    may: Mapping[str, bool] = field(default_factory=dict)  # what the key may look up, where that is known


async def list_providers(ctx: Context) -> list[ProviderView]:
    """Every provider, in order of the organization's priority, those it does not use last."""
    caller = ctx.require(Role.VIEWER)
    registry = ctx.services.registry
    organization_id, now = caller.organization_id, ctx.services.now()
    config = config_of(await organization_of(organization_id, registry, now))
    rules = {rule.id: (index, rule.enabled) for index, rule in enumerate(config.providers, 1)}
    calls = await calls_ever(organization_id)
    states = await states_of([organization_id])
    keys = await keys_of(organization_id)
    trust: dict[str, list[FieldTrust]] = {}
    for (provider_id, entity_type, name), source in (await trust_of([organization_id]))[organization_id].items():
        trust.setdefault(provider_id, []).append(FieldTrust(entity_type, name, source))
    views = [
        _view(
            provider.info,
            rules.get(provider.info.id, (0, False)),
            config.answer_days(provider.info.id, provider.info.answer_days),
            calls.get(provider.info.id),
            states.get((organization_id, provider.info.id), ProviderStateRow(organization_id, provider.info.id)),
            keys.get(provider.info.id),
            provider.info.id in ctx.services.shared_keys,
            trust.get(provider.info.id, []),
            now,
        )
        for provider in registry
    ]
    return sorted(views, key=lambda view: (view.position == 0, view.position))


def _view(
    info: ProviderInfo,
    rule: tuple[int, bool],
    answer_days: int,
    calls: ProviderCalls | None,
    state: ProviderStateRow,
    key: ProviderKeyRow | None,
    shared_key: bool,
    trust: list[FieldTrust],
    now: datetime,
) -> ProviderView:
    paused_until = state.paused_until if state.paused_until and state.paused_until > now else None
    asked, matched = (calls.asked, calls.matched) if calls else (0, 0)
    configured = not info.needs_key or key is not None or shared_key
    return ProviderView(
        id=info.id,
        name=info.name,
        enabled=rule[1],
        position=rule[0],
        price=info.price,
        counts_misses=info.counts_misses,
        answer_days=answer_days if info.keeps_answers else None,
        miss_days=min(info.miss_days, answer_days) if info.keeps_answers else None,
        extra_price=info.extra_price,
        extra_for={kind: sorted(names) for kind, names in info.extra_for.items()},
        gives={kind: sorted(names) for kind, names in info.gives.items()},
        needs=info.needs,
        attribution=info.attribution,
        remarks=list(info.remarks),
        asked=asked,
        matched=matched,
        match_rate=matched / asked if asked else None,
        needs_key=info.needs_key,
        configured=configured,
        not_asked_because=_why_not_asked(rule, configured, state, paused_until),
        key_last_four=key.last_four if key else None,
        healthy=state.state is BreakerState.CLOSED,
        state=state.state,
        state_reason=state.reason,
        state_until=state.open_until,
        paused_until=paused_until,
        latency_p50_ms=calls.p50 if calls else None,
        latency_p95_ms=calls.p95 if calls else None,
        credits_left=state.credits_left,
        last_error_code=state.last_error_code,
        last_error_message=state.last_error_message,
        last_error_at=state.last_error_at,
        trust=trust,
    )


def _why_not_asked(
    rule: tuple[int, bool], configured: bool, state: ProviderStateRow, paused_until: datetime | None
) -> str | None:
    position, enabled = rule
    if not enabled:
        return "it is switched off in the configuration" if position else "it is not in the configuration"
    if not configured:
        return "it has no key"
    if state.state is BreakerState.OPEN and state.reason is not None:
        return OPEN_REASON_TEXTS[state.reason]
    return None if paused_until is None else "it asked for no calls for a while"


async def get_provider(ctx: Context, provider_id: str) -> ProviderView:
    """One provider. Raises NotFound."""
    found = next((view for view in await list_providers(ctx) if view.id == provider_id), None)
    if found is None:
        raise NotFound("no such provider")
    return found


async def test_provider(ctx: Context, provider_id: str) -> ProviderTest:
    """Whether a provider could be asked, by a call that costs nothing where it has one. Raises NotFound."""
    caller = ctx.require(Role.ADMIN)
    provider = ctx.services.registry.get(provider_id)
    if provider is None:
        raise NotFound("no such provider")
    if not isinstance(provider, Checked):
        return ProviderTest(provider_id, ok=True, detail="it needs no network and no key")
    try:
        check = await provider.check_key(caller.organization_id)
    except ProviderError as error:
        return ProviderTest(provider_id, ok=False, detail=error.message)
    if check.valid and (check.credits_left or 0) > 0:
        await credits_are_back(caller.organization_id, provider_id, ctx.services.now())
    return ProviderTest(
        provider_id, ok=check.valid, detail=check.detail, credits_left=check.credits_left, may=check.may
    )


async def reset_provider(ctx: Context, provider_id: str) -> ProviderView:
    """Ask a provider again that was left alone, also because it asked for a pause, at once. Raises NotFound.

    The jobs that ended because it refused to answer run again in a moment.
    """
    caller = ctx.require(Role.MANAGER)
    provider = ctx.services.registry.get(provider_id)
    if provider is None:
        raise NotFound("no such provider")
    await organization_of(caller.organization_id, ctx.services.registry, ctx.services.now())
    await close_breaker(caller.organization_id, provider_id, ctx.services.now())
    await announce(ctx.services.redis, caller.organization_id, log=True)
    if isinstance(provider, Paced):
        with suppress(ProviderError):  # without a key no account has been left alone
            await provider.forget_pauses(caller.organization_id)
    await unit_of_work(note_change)(ctx, "provider.reset", provider_id)
    return await get_provider(ctx, provider_id)
