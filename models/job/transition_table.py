"""The table of the transitions of a job's status: which states each may start from and lead to."""

from collections.abc import Iterable
from dataclasses import dataclass

from enrichment.enums import ACTIVE_STATUSES, RETRYABLE_STATUSES, JobStatus


@dataclass(frozen=True, slots=True)
class Transition:
    """A named change of a job's status. Without `sources` it makes the job."""

    name: str
    sources: frozenset[JobStatus]
    targets: frozenset[JobStatus]

    @property
    def guard(self) -> str:
        """The condition on `job` under which the transition may start, as SQL."""
        return f"job.status {_among(self.sources)}"

    @property
    def guard_by_id(self) -> str:
        """The same condition for jobs that the statement names by their ids (see `models.job.leases.IN_PROGRESS`)."""
        return f"job.status || '' {_among(self.sources)}"

    @property
    def to(self) -> str:
        """The only state that the transition leads to, as SQL."""
        [target] = self.targets
        return f"'{target}'"

    @property
    def leads_to_v(self) -> str:
        """The condition that the status of the row `v` is one that the transition leads to, as SQL."""
        return f"v.status {_among(self.targets)}"


def _among(states: Iterable[JobStatus]) -> str:
    # By value and not by parameter: the partial indexes are found by it.
    listed = ", ".join(f"'{state}'" for state in JobStatus if state in set(states))
    return f"= {listed}" if "," not in listed else f"IN ({listed})"


_PENDING, _IN_PROGRESS = frozenset({JobStatus.PENDING}), frozenset({JobStatus.IN_PROGRESS})
_RESULTS = frozenset({JobStatus.COMPLETED, JobStatus.PARTIAL, JobStatus.FAILED, JobStatus.SKIPPED})

CREATE = Transition("create", frozenset(), _PENDING)
CLAIM = Transition("claim", _PENDING, _IN_PROGRESS)
FINISH = Transition("finish", _IN_PROGRESS, _RESULTS)
WAIT = Transition("wait", _IN_PROGRESS, _PENDING)
RELEASE = Transition("release", _IN_PROGRESS, _PENDING)
REQUEUE_LOST = Transition("requeue_lost", _IN_PROGRESS, frozenset({JobStatus.PENDING, JobStatus.FAILED}))
CANCEL = Transition("cancel", ACTIVE_STATUSES, frozenset({JobStatus.CANCELLED}))
RETRY = Transition("retry", RETRYABLE_STATUSES, _PENDING)

TRANSITIONS = {
    transition.name: transition for transition in (CREATE, CLAIM, FINISH, WAIT, RELEASE, REQUEUE_LOST, CANCEL, RETRY)
}
"""Every way in which a job's status can change. A job also goes when its record is erased, whatever its state."""
