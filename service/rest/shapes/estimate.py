"""Which records a client wants an estimate for over REST, and what enriching them would cost."""

from typing import Annotated, Self

from msgspec import UNSET, Meta, UnsetType

from enrichment.enums import EntityType
from resolvers.cost import estimate as operations
from service.http.shape import Count, Sent, Shape
from service.rest.description.json_schema import in_any_case


class EstimateRequest(Sent, frozen=True):
    """Records of one entity type: those named, or all."""

    entity_type: Annotated[str, in_any_case(EntityType)]
    external_ids: Annotated[list[str], Meta(max_length=10_000)] | UnsetType | None = UNSET
    force: Annotated[bool, Meta(description="Pass over the cooldown, and ask again.")] = False


class ProviderEstimate(Shape, frozen=True):
    """What one provider may be asked, and what that would cost."""

    provider: str
    price: Annotated[Count, Meta(description="Credits for a plain match.")]
    questions: Annotated[Count, Meta(description="The most calls there can be, each question once.")]
    reused: Annotated[Count, Meta(description="Times that a kept answer serves instead, and costs nothing.")]
    minimum: Count
    expected: Count
    maximum: Count
    skipped: Annotated[str | None, Meta(description="Why it will not be asked at all.")]


class Ineligible(Shape, frozen=True):
    """Records that no job would start for, and why."""

    reason: str
    records: Count


class Estimate(Shape, frozen=True):
    """Credits that enriching the records would cost. What is spent lies between minimum and maximum."""

    eligible: Annotated[Count, Meta(description="Records that a job would start for.")]
    ineligible: list[Ineligible]
    minimum: Annotated[Count, Meta(description="Certain to be spent.")]
    expected: Annotated[Count, Meta(description="By the providers' match rates so far.")]
    maximum: Annotated[Count, Meta(description="Cannot be exceeded.")]
    by_provider: list[ProviderEstimate]

    @classmethod
    def of(cls, estimate: operations.Estimate) -> Self:
        return cls.copied(
            estimate,
            ineligible=[Ineligible(reason, count) for reason, count in estimate.ineligible.items()],
            by_provider=[ProviderEstimate.copied(part) for part in estimate.by_provider],
        )


REQUEST_EXAMPLES = {"some": EstimateRequest(entity_type=EntityType.ACCOUNT, external_ids=["ACC-1042"])}
EXAMPLE = Estimate(
    eligible=1,
    ineligible=[],
    minimum=0,
    expected=1,
    maximum=2,
    by_provider=[ProviderEstimate("directory", 0, 1, 0, 0, 0, 0, None)],
)
