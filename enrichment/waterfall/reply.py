"""What asking one source came to. A worker's replies are of a class of their own, made of this one."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from enrichment.decide.merge import Candidate
from enrichment.enums import StepOutcome
from enrichment.waterfall.skip_reason import SkipReason


class ReplyError(Protocol):
    """Why a source could not answer. `retryable`: the same question may work later."""

    @property
    def code(self) -> str: ...

    @property
    def message(self) -> str: ...

    @property
    def retryable(self) -> bool: ...

    @property
    def retry_after_seconds(self) -> float | None: ...


@dataclass(slots=True)
class Reply:
    """What asking one source came to.

    `key` stands for all that the answer depends on: two questions of a source with the same key have the same
    answer. `reused`: it is a cached answer to an earlier question. `waits_until`: the answer is not there yet,
    and the job goes on then. `withheld`: the fields whose values would have brought an erased person back.
    """

    outcome: StepOutcome
    candidates: dict[str, Candidate] = field(default_factory=dict)
    skipped: SkipReason | None = None
    detail: str = ""
    latency_ms: int | None = None
    credits: int = 0
    error: ReplyError | None = None
    waits_until: datetime | None = None
    key: str | None = None
    reused: bool = False
    withheld: frozenset[str] = frozenset()

    @property
    def was_asked(self) -> bool:
        """Whether the source counts as asked; in a replay or preview also where nobody knows what it would say."""
        if self.outcome is StepOutcome.SKIPPED:
            return self.skipped is SkipReason.UNKNOWN
        return self.error is None or self.error.code != "circuit_open"
