"""The sources of data as REST shows them."""

from typing import Annotated, Self

from msgspec import Meta

from enrichment.enums import BreakerState, EntityType
from resolvers.provider import api as operations
from service.http.shape import Count, Moment, Shape, Share


class ProviderFields(Shape, frozen=True):
    """The fields that a provider can give for one entity type."""

    entity_type: EntityType
    fields: list[str]


class ProviderFault(Shape, frozen=True):
    """The last call that failed."""

    code: str
    message: str
    at: Moment | None


class Provider(Shape, frozen=True):
    """One source of data, as the organization uses it."""

    id: str
    name: str
    enabled: bool
    position: Annotated[Count, Meta(description="Its place in the waterfall from 1; 0: not in it.")]
    price: Annotated[Count, Meta(description="Credits for a match.")]
    counts_misses: Annotated[bool, Meta(description="It counts `no match` like a match, and so does the ledger.")]
    answer_days: Annotated[int | None, Meta(description="How many days a kept answer may be reused.")]
    miss_days: Annotated[int | None, Meta(description="The same of an answer that it knows nothing.")]
    gives: list[ProviderFields]
    needs: Annotated[str, Meta(description="The least input, in plain words.")]
    attribution: str
    remarks: list[str]
    asked: Count
    matched: Count
    match_rate: Annotated[Share | None, Meta(description="Null: never asked.")]
    needs_key: bool
    configured: Annotated[bool, Meta(description="It has the key that it needs.")]
    not_asked_because: Annotated[str | None, Meta(description="Why it is not asked just now. Null: it is.")]
    healthy: bool
    state: BreakerState
    state_reason: str | None
    state_until: Annotated[Moment | None, Meta(description="Null while open: until it is changed by hand.")]
    paused_until: Annotated[Moment | None, Meta(description="It asked for no calls until then. Null: for no pause.")]
    latency_p50_ms: int | None
    latency_p95_ms: int | None
    credits_left: Annotated[float | None, Meta(description="What the provider last said.")]
    last_error: ProviderFault | None

    @classmethod
    def of(cls, view: operations.ProviderView) -> Self:
        fault = None
        if view.last_error_code is not None:
            fault = ProviderFault(view.last_error_code, view.last_error_message or "", view.last_error_at)
        gives = [ProviderFields(kind, list(names)) for kind, names in view.gives.items()]
        return cls.copied(view, gives=gives, remarks=list(view.remarks), last_error=fault)


EXAMPLE = Provider.example(
    id="directory",
    name="Company directory",
    enabled=True,
    position=1,
    needs="a domain, or a name with a place",
    asked=120,
    matched=96,
    match_rate=0.8,
    configured=True,
    healthy=True,
)
