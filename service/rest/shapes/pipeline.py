"""The pipeline as REST shows it, and what a client sends to pause it."""

from typing import Self

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from resolvers.pipeline import PipelineView
from service.http.shape import Count, Moment, Sent, Shape
from service.rest.shapes.example_moments import CAME_IN, REVIEWED


class Pipeline(Shape, frozen=True):
    """Whether the organization's jobs are dispatched."""

    paused: bool
    paused_at: Moment | None
    paused_by: str | None
    reason: str | None
    pending: Count
    in_progress: Count
    oldest_pending_at: Moment | None

    @classmethod
    def of(cls, view: PipelineView) -> Self:
        return cls.copied(view)


class PauseRequest(Sent, frozen=True):
    """Why the pipeline is paused."""

    reason: str | UnsetType | None = UNSET


RUNNING_EXAMPLE = Pipeline.example(pending=12, in_progress=4, oldest_pending_at=CAME_IN)
PAUSED_EXAMPLE = replace(
    RUNNING_EXAMPLE, paused=True, paused_at=REVIEWED, paused_by="user-1", reason="CRM import under way"
)
REQUEST_EXAMPLES = {"reason": PauseRequest(reason="CRM import under way"), "none": PauseRequest()}
