"""The sources of data that this installation has."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

import strawberry

from resolvers.provider import api as operations
from resolvers.provider import keys
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.enums import BreakerState, EntityType
from schema.base.views import Each


@strawberry.type(description="The fields that a provider can give for one entity type.")
class ProviderFields:
    entity_type: EntityType
    fields: list[str]


@strawberry.type(description="The last call that failed.")
class ProviderFault:
    code: str
    message: str
    at: datetime | None


@strawberry.type(description="What people's decisions say about a provider's values for one field.")
class FieldTrust:
    entity_type: EntityType
    field: str
    accepted: int = strawberry.field(description="How often a reviewer chose its value.")
    rejected: int = strawberry.field(description="How often a reviewer chose another.")
    overwritten: int = strawberry.field(description="How often a person replaced a value of its that had been written.")
    mean: float = strawberry.field(description="The expected chance that people want its value, from 0 to 1.")
    low: float = strawberry.field(description="The chance lies above this with 97.5 % probability.")
    high: float = strawberry.field(description="The chance lies below this with 97.5 % probability.")

    @classmethod
    def of(cls, view: operations.FieldTrust) -> Self:
        trust = view.trust
        low, high = trust.interval
        return copied(cls, trust, entity_type=view.entity_type, field=view.field, low=low, high=high)


@strawberry.type(description="One source of data, as the organization uses it.")
class Provider:
    id: strawberry.ID
    name: str
    enabled: bool
    position: int = strawberry.field(description="Its place in the waterfall from 1; 0: not in it.")
    price: int = strawberry.field(description="Credits for a match.")
    counts_misses: bool = strawberry.field(description="It counts `no match` like a match, and so does the ledger.")
    answer_days: int | None = strawberry.field(
        description="How many days a kept answer may be reused, as the configuration or else the provider says."
        " A forced run asks again; so does a scheduled refresh where the answer is older than `refreshAfterDays`."
        " Null: its answers are not kept."
    )
    miss_days: int | None = strawberry.field(description="The same of an answer that it knows nothing.")
    extra_price: int = strawberry.field(description="Credits more for a match that brings one of `extraFor`.")
    extra_for: list[ProviderFields] = strawberry.field(description="Asked for only where they are to be filled.")
    gives: list[ProviderFields]
    needs: str = strawberry.field(description="The least input, in plain words.")
    attribution: str
    remarks: list[str] = strawberry.field(description="What who uses it should know, in plain words.")
    asked: int
    matched: int
    match_rate: float | None = strawberry.field(description="From 0 to 1; null: never asked.")
    needs_key: bool
    configured: bool = strawberry.field(description="It has the key that it needs.")
    not_asked_because: str | None = strawberry.field(
        description="Why it is not asked just now, in plain words: it is switched off in the configuration, has no key,"
        " or is left alone for a while. Null: it is asked."
    )
    key_last_four: str | None = strawberry.field(description="Of the organization's own key.")
    healthy: bool = strawberry.field(description="It is asked; see `state`.")
    state: BreakerState
    state_reason: str | None
    state_until: datetime | None = strawberry.field(description="Null while open: until something is changed by hand.")
    paused_until: datetime | None = strawberry.field(
        description="It asked for no calls until then. Null: it asks for no pause."
    )
    latency_p50_ms: int | None
    latency_p95_ms: int | None
    credits_left: float | None = strawberry.field(description="What the provider last said.")
    last_error: ProviderFault | None
    trust: Sequence[FieldTrust] = strawberry.field(description="What was learned from people's decisions.")

    @classmethod
    def of(cls, view: operations.ProviderView) -> Self:
        return copied(
            cls,
            view,
            extra_for=[ProviderFields(entity_type=kind, fields=names) for kind, names in view.extra_for.items()],
            gives=[ProviderFields(entity_type=kind, fields=names) for kind, names in view.gives.items()],
            last_error=_fault(view),
            trust=Each(FieldTrust.of, view.trust),
        )


def _fault(view: operations.ProviderView) -> ProviderFault | None:
    if view.last_error_code is None:
        return None
    return ProviderFault(code=view.last_error_code, message=view.last_error_message or "", at=view.last_error_at)


@strawberry.type(description="Whether a key may look up one kind of record.")
class ProviderAccess:
    what: str = strawberry.field(description="People or companies.")
    allowed: bool


@strawberry.type(description="What trying a provider told; nothing was spent on it.")
class ProviderTest:
    provider: strawberry.ID
    ok: bool
    detail: str
    credits_left: float | None
    access: list[ProviderAccess] = strawberry.field(
        description="What the key may look up, where that could be tried for free or was refused lately."
    )


@strawberry.type
class ProviderQuery:
    @strawberry.field(description="Every provider, in order of priority.")
    async def providers(self, info: Info) -> list[Provider]:
        return [Provider.of(view) for view in await operations.list_providers(info.context)]


@strawberry.type
class ProviderMutation:
    @strawberry.mutation(description="Whether a provider could be asked, by a call that costs nothing. Admins only.")
    async def test_provider(self, info: Info, id: strawberry.ID) -> ProviderTest:
        test = await operations.test_provider(info.context, id)
        return ProviderTest(
            provider=strawberry.ID(test.provider),
            ok=test.ok,
            detail=test.detail,
            credits_left=test.credits_left,
            access=[ProviderAccess(what=what, allowed=allowed) for what, allowed in test.may.items()],
        )

    @strawberry.mutation(description="Ask a provider again, at once, that was left alone.")
    async def reset_provider(self, info: Info, id: strawberry.ID) -> Provider:
        return Provider.of(await operations.reset_provider(info.context, id))

    @strawberry.mutation(
        description="Keep the organization's key, sealed; it is never shown again. A provider that the configuration"
        " has switched off stays off, as `notAskedBecause` says, unless `enable` switches it on. Admins only."
    )
    async def set_provider_key(
        self, info: Info, provider: strawberry.ID, key: str, enable: bool | None = False
    ) -> Provider:
        await keys.set_provider_key(info.context, provider, key, enable=bool(enable))
        return Provider.of(await operations.get_provider(info.context, provider))

    @strawberry.mutation(description="Forget the organization's key. Admins only.")
    async def remove_provider_key(self, info: Info, provider: strawberry.ID) -> Provider:
        await keys.remove_provider_key(info.context, provider)
        return Provider.of(await operations.get_provider(info.context, provider))
