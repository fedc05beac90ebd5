"""What enriching chosen records would come to now, from stored answers alone. Asks no provider and writes nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from enrichment.config import Config
from enrichment.decide.decision import Decision
from enrichment.decide.job_outcome import Attempt
from enrichment.enums import EntityType, FieldOutcomeReason, JobStatus, JobTrigger, StepOutcome
from enrichment.fields_before import forms_before, with_forms_before
from enrichment.identity import Identifier, holds_identifier
from enrichment.learn.trust import Trust
from enrichment.provenance import Current
from enrichment.record_state import RecordState
from enrichment.replay.answer_index import AnswerIndex
from enrichment.replay.snapshot import DecisionSnapshot, Origin
from enrichment.replay.stored import StoredSnapshot, readable
from enrichment.waterfall.planner import Source
from enrichment.waterfall.reply import Reply
from enrichment.waterfall.reuse import oldest_reusable
from enrichment.waterfall.session import JobContext, SessionQuestion, WaterfallSession
from enrichment.waterfall.skip_reason import SkipReason
from enrichment.waterfall.yields import NO_YIELDS, Yields
from enrichment.words import Names
from models.answer.row import CachedAnswer
from models.decision_log import latest_snapshots
from models.record import Record
from providers.api import DEFAULT_LIFETIME_DAYS
from resolvers.conflict.trust import trust_of
from resolvers.context import Context, Role, Services
from resolvers.erasure.kept_out import ProposedValues, kept_out
from resolvers.job.enrich import RecordSelection, SkippedRecord, select_records, skip_reason, suppressed_among
from resolvers.off_loop import off_loop
from resolvers.organizations import config_of, organization_of
from resolvers.record.state import record_states
from resolvers.refresh.freshness import LearnedHalfLives, learned_by
from resolvers.simulation.cached_answers import answers_of, sources_by_type, to_stored, with_cached
from resolvers.suppression.check import Subject, suppressed
from resolvers.turns import one_at_a_time
from resolvers.yields import yields_of

RECORDED_FOR = timedelta(days=30)  # a reply that a job had longer ago is not taken for an answer of today
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class FieldPreview:
    """How a field would end. `value` is what would be written, or the foremost value put to review."""

    field: str
    reason: FieldOutcomeReason
    provider: str | None
    value: Any
    confidence: float | None
    detail: str
    current: Current | None


@dataclass(frozen=True, slots=True)
class Call:
    """A provider that would have to be asked about a record, for the most credits that this may cost."""

    provider: str
    most: int


@dataclass(frozen=True, slots=True)
class RecordPreview:
    """What would become of one record, and the calls that would tell more."""

    record: Record
    fields: list[FieldPreview]
    calls: list[Call]


@dataclass(slots=True)
class Preview:
    """What would become of each of the chosen records. `skipped`: no job would be started for them.

    `calls` and `credits_most` count by provider what would have to be asked; questions that are the same count once.
    """

    records: list[RecordPreview] = field(default_factory=list)
    skipped: list[SkippedRecord] = field(default_factory=list)
    counts: Counter[FieldOutcomeReason] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    credits_most: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Rules:
    config: Config
    sources: Mapping[EntityType, Sequence[Source]]
    trust: Trust
    names: Names
    half_lives: LearnedHalfLives
    forced: bool
    now: datetime
    yields: Mapping[EntityType, Yields]
    withheld: set[Identifier] = field(default_factory=set)  # suppressed: withheld from a job as well
    erased: dict[str, set[str]] = field(
        default_factory=dict
    )  # by record, fields that would bring an erased person back
    forms_before: dict[str, dict[str, Any]] = field(default_factory=dict)  # by record, as far as they were needed

    def before(self, record: Record, question: SessionQuestion) -> SessionQuestion | None:
        """The question as earlier versions asked it, if they did otherwise: an answer to it serves too."""
        if not record.raw_values:
            return None
        forms = self.forms_before.get(record.id)
        if forms is None:
            forms = forms_before(record.entity_type, record.fields, record.raw_values)
            self.forms_before[record.id] = forms
        return replace(question, fields=with_forms_before(question.fields, forms)) if forms else None


@one_at_a_time
async def preview_enrichment(ctx: Context, selection: RecordSelection, *, force: bool = False) -> Preview:
    """Decide as a job started now would, with the answers that are stored, or were given to the record's last job.

    `force` as in `enrich_records`. Raises ValidationFailed when the selection is larger than 10,000 records.
    """
    caller = ctx.require(Role.USER)
    services, organization_id, now = ctx.services, caller.organization_id, ctx.services.now()
    config = config_of(await organization_of(organization_id, services.registry, now))
    records, missing = await select_records(organization_id, selection)
    preview = Preview(skipped=[SkippedRecord(external_id, "not_found") for external_id in missing])
    suppressed_ids = await suppressed_among(services, organization_id, records)
    eligible: list[Record] = []
    for record in records:
        reason = skip_reason(record, config, now, force=force, suppressed=record.id in suppressed_ids)
        if reason is None:
            eligible.append(record)
        else:
            preview.skipped.append(SkippedRecord(record.external_id, reason))
    states, snapshots = await _states(eligible), await _snapshots(eligible, now)
    answers = await answers_of(services, organization_id, config, snapshots, in_force_only=True)
    trust = (await trust_of([organization_id]))[organization_id]
    learned = (await learned_by([organization_id]))[organization_id]
    names = services.registry.names
    yields = await yields_of(organization_id) if config.weighs_value else {}
    rules = _Rules(config, sources_by_type(services, config), trust, names, learned, force, now, yields)

    def decide() -> list[RecordPreview]:
        return [_decide(record, states[record.id], answers, rules) for record in eligible]

    def serves(answer: CachedAnswer) -> bool:
        info = services.registry.info(answer.provider)
        days = config.answer_days(answer.provider, DEFAULT_LIFETIME_DAYS if info is None else info.answer_days)
        since = oldest_reusable(now, days, created_at=now, answers_since=now if force else None)
        return answer.serves(since, now)

    while True:
        shown = await with_cached(organization_id, answers, lambda: off_loop(decide), serves=serves)
        found = await _suppressed_in(services, organization_id, shown) - rules.withheld
        erased = await _erased_in(services, organization_id, shown)
        if not found and not erased:
            break
        rules.withheld.update(found)
        for record_id, fields in erased.items():
            rules.erased.setdefault(record_id, set()).update(fields)
    preview.records = shown
    for record_preview in preview.records:
        preview.counts.update(field_preview.reason for field_preview in record_preview.fields)
    for (source, _), most in answers.missing.items():
        preview.calls[source] += 1
        preview.credits_most[source] += most
    _within_limit(preview, config.credits.per_record_max)
    return preview


def _within_limit(preview: Preview, per_record_max: int | None) -> None:
    """Let no provider cost more than the records that would be asked about there may: person and company together."""
    if per_record_max is None:
        return
    records = Counter(provider for shown in preview.records for provider in {call.provider for call in shown.calls})
    for provider, most in preview.credits_most.items():
        preview.credits_most[provider] = min(most, per_record_max * records[provider])


async def _suppressed_in(
    services: Services, organization_id: str, shown: Sequence[RecordPreview]
) -> frozenset[Identifier]:
    """What of the values that would be shown is suppressed."""
    subjects = [
        Subject(
            organization_id,
            preview.record.entity_type,
            {field.field: field.value for field in preview.fields if field.value is not None},
        )
        for preview in shown
    ]
    return frozenset().union(*await suppressed(services, subjects))


async def _erased_in(
    services: Services, organization_id: str, shown: Sequence[RecordPreview]
) -> dict[str, Mapping[str, str]]:
    """Which of the values that would be shown would bring an erased person back, by record."""
    proposed = [
        ProposedValues(
            organization_id,
            preview.record.entity_type,
            preview.record.fields,
            {field.field: field.value for field in preview.fields if field.value is not None},
        )
        for preview in shown
    ]
    found = await kept_out(services, proposed)
    return {preview.record.id: fields for preview, fields in zip(shown, found, strict=True) if fields}


async def _states(records: Sequence[Record]) -> dict[str, RecordState]:
    found: dict[str, RecordState] = {}
    for start in range(0, len(records), _AT_ONCE):
        found |= await record_states(records[start : start + _AT_ONCE])
    return found


async def _snapshots(records: Sequence[Record], now: datetime) -> list[StoredSnapshot]:
    """The last decision on each record, where it is not too old, in a format that this version can read."""
    found: list[StoredSnapshot] = []
    for start in range(0, len(records), _AT_ONCE):
        rows = await latest_snapshots([record.id for record in records[start : start + _AT_ONCE]])
        found += [to_stored(row) for row in rows if row.decided_at > now - RECORDED_FOR]
    return (await off_loop(readable, found)).snapshots


def _decide(record: Record, state: RecordState, answers: AnswerIndex, rules: _Rules) -> RecordPreview:
    kind = record.entity_type
    attempt = Attempt(1, rules.config.max_attempts, rules.now, rules.now)
    snapshot = DecisionSnapshot(
        kind,
        Origin(JobTrigger.MANUAL, rules.forced, True, 0),
        attempt,
        rules.now,
        state,
        {},
        {},
        {},
        {},
        JobStatus.PENDING,
        None,
    )
    context = JobContext(
        entity_type=kind,
        config=rules.config,
        trigger=JobTrigger.MANUAL,
        forced=rules.forced,
        fields=state.fields,
        current=state.current,
        rejected=state.rejected,
        asked_at=rules.now,
        trust=rules.trust,
        names=rules.names,
        half_lives=rules.half_lives[kind],
        yields=rules.yields.get(kind, NO_YIELDS),
    )
    session = WaterfallSession(context, rules.sources[kind])
    calls: list[Call] = []
    while (question := session.next_question()) is not None:
        found = answers.find(snapshot, question, poorer=False, before=partial(rules.before, record, question))
        reply = Reply(StepOutcome.SKIPPED, skipped=SkipReason.UNKNOWN) if found is None else found.reply
        if found is None:
            calls.append(Call(question.source.provider, question.source.most(question.wanted)))
        elif reply.candidates:
            erased = rules.erased.get(record.id, set()) & reply.candidates.keys()
            allowed = {
                name: candidate
                for name, candidate in reply.candidates.items()
                if name not in erased
                and (not rules.withheld or not holds_identifier(kind, name, candidate.value, rules.withheld))
            }
            reply = Reply(
                reply.outcome,
                candidates=rules.trust.believed(kind, allowed),
                key=reply.key,
                withheld=frozenset(erased),
            )
        session.record_reply(question.source.id, reply)
    fields = [_field(name, decision, state.current.get(name)) for name, decision in session.decide().items()]
    return RecordPreview(record, fields, calls)


def _field(name: str, decision: Decision, current: Current | None) -> FieldPreview:
    value = decision.write.value if decision.write is not None else None
    if decision.question is not None:
        value = decision.question.candidates[0].value
    return FieldPreview(name, decision.reason, decision.provider, value, decision.confidence, decision.detail, current)
