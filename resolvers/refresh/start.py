"""Start the refresh of planned records: those that somebody could say something new about, within the budget."""

from collections.abc import Hashable, Sequence

from enrichment.credits import day_of
from enrichment.enums import JobTrigger
from enrichment.learn.refresh import RefreshCandidate, choose
from models.answer.cache import answered_keys
from models.db.transaction import Transaction, unit_of_work
from models.job.transitions import NewJob, create
from models.record.value import current_values
from models.refresh.plan import PlannedRecord, StartedRefresh, drop_planned, note_started, still_planned
from models.refresh.state import lock_state
from resolvers.cost.direct_calls import DirectCall, direct_calls
from resolvers.job.new_job import new_job
from resolvers.record.state import held_values
from resolvers.refresh.run import RefreshRun
from resolvers.suppression.check import suppressed_records


async def candidates_of(run: RefreshRun, planned: Sequence[PlannedRecord]) -> list[RefreshCandidate]:
    """Those of the planned records that are still due and that any provider could say something new about.

    The others leave the plan. A suppressed record is one of the candidates: its job asks nobody, and says so.
    """
    suppressed = await suppressed_records(run.services, run.organization_id, planned)
    values = await current_values([record.id for record in planned])
    calls = {
        record.id: direct_calls(
            run.services,
            run.config,
            run.organization_id,
            record.entity_type,
            record.fields,
            held_values(record, values[record.id]),
            refresh=True,
        )
        for record in planned
        if record.id not in suppressed
    }
    cached = await _cached(run, [call for planned_calls in calls.values() for call in planned_calls])
    candidates: list[RefreshCandidate] = []
    dropped: list[str] = []
    for record in planned:
        every = calls.get(record.id, [])
        new = [call for call in every if (call.provider.info.id, call.key) not in cached]
        if record.due and (new or record.id in suppressed):
            costs = _costs(record.id, new) if any(call.key for call in every) else {}
            candidates.append(RefreshCandidate(record.id, record.entity_type, costs))
        else:
            dropped.append(record.id)
    await drop_planned(run.organization_id, dropped)
    return candidates


def _costs(record_id: str, calls: Sequence[DirectCall]) -> dict[Hashable, int]:
    return {(call.provider.info.id, call.key or record_id): call.max_credits for call in calls if call.max_credits}


async def _cached(run: RefreshRun, calls: Sequence[DirectCall]) -> set[tuple[str, str]]:
    """The calls with a cached answer that is young enough for the refresh: provider and key."""
    keys: dict[str, set[str]] = {}
    for call in calls:
        if call.key is not None:
            keys.setdefault(call.provider.info.id, set()).add(call.key)
    return {
        (provider_id, key)
        for provider_id, wanted in keys.items()
        for key in await answered_keys(
            run.organization_id, provider_id, wanted, run.answers_of_provider_since(provider_id), run.now
        )
    }


async def start_candidates(run: RefreshRun, candidates: Sequence[RefreshCandidate], funds: int | None) -> list[str]:
    """Start the candidates that the budget reaches. Returns the ids of the jobs."""
    return await _start(run, candidates, funds) if candidates else []


@unit_of_work
async def _start(
    tx: Transaction, run: RefreshRun, candidates: Sequence[RefreshCandidate], funds: int | None
) -> list[str]:
    state = await lock_state(tx, run.organization_id, run.now)
    if state.day != day_of(run.now):
        return []  # another run has begun the next day
    budget = run.config.refresh.credit_budget
    record_limits = [limit for limit in (run.config.credits.per_record_max, budget) if limit is not None]
    free = await still_planned(tx, run.organization_id, [candidate.record_id for candidate in candidates])
    chosen = choose(
        [candidate for candidate in candidates if candidate.record_id in free],
        room=await run.room(state, funds, using=tx),
        at_most=run.left_today(state),
        record_limit=min(record_limits, default=None),
    )
    budget_id = None if budget is None else state.budget_id
    jobs = [_job(run, refresh.candidate, budget_id) for refresh in chosen]
    added = await create(tx, jobs)
    started = [
        StartedRefresh(run.organization_id, job.record_id, job.id, refresh.most)
        for refresh, job in zip(chosen, jobs, strict=True)
        if job.id in added
    ]
    await note_started(tx, run.organization_id, started)
    return [refresh.job_id for refresh in started]


def _job(run: RefreshRun, candidate: RefreshCandidate, budget_id: str | None) -> NewJob:
    return new_job(
        run.organization_id,
        candidate.record_id,
        candidate.entity_type,
        JobTrigger.SCHEDULED_REFRESH,
        run.config,
        run.now,
        answers_since=run.answers_since,
        budget_id=budget_id,
    )
