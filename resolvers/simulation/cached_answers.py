"""What is known of the answers of providers without asking any: for replays and previews."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog

from enrichment.config import Config
from enrichment.decide.merge import Candidate
from enrichment.enums import EntityType, StepOutcome
from enrichment.replay.answer_index import AnswerIndex, Identify, IndexedAnswer, Question, QuestionKeys
from enrichment.replay.snapshot import StoredSnapshot
from enrichment.waterfall.planner import SkipReason, Source
from enrichment.waterfall.session import Reply, SessionQuestion
from models.db.columns import from_micros, to_micros
from models.db.statements import dump_rows, load, query, rows
from models.decision_log import SnapshotRow
from providers import api
from resolvers.conflict.trust import trust_of
from resolvers.context import Services

T = TypeVar("T")
_AT_ONCE = 1000
_LIFETIME_DAYS = 30  # of an answer whose provider states none

_log = structlog.get_logger(__name__)


async def answers_of(
    services: Services,
    organization_id: str,
    pasts: Sequence[StoredSnapshot],
    in_thread: Callable[..., Awaitable[Any]] = asyncio.to_thread,
    *,
    in_force_only: bool = False,
) -> AnswerIndex:
    """What these past hearings were answered, ready to be found again; `with_kept` adds what is kept elsewhere.

    `in_thread` runs what only computes. `in_force_only`: what a provider was asked whose answers are kept counts only
    while it is kept, as for a job; after that it would be asked, and paid, again.
    """
    elsewhere: set[str] = set()
    unable: dict[str, SkipReason] = {}
    lifetimes: dict[str, timedelta] = {}
    for provider_id in services.registry.ids():
        provider = services.registry.get(provider_id)
        assert provider is not None  # the registry named it
        lifetimes[provider_id] = timedelta(days=provider.info.answer_lifetime_days or _LIFETIME_DAYS)
        if in_force_only and provider.info.keeps_answers:
            elsewhere.add(provider_id)
        if isinstance(provider, api.RequiresKey) and not await provider.configured(organization_id):
            unable[provider_id] = SkipReason.NO_KEY
    trust = (await trust_of([organization_id]))[organization_id]
    identify = _identify(services, organization_id)
    answers: AnswerIndex = await in_thread(AnswerIndex, pasts, identify, unable, lifetimes, trust, elsewhere)
    return answers


def _identify(services: Services, organization_id: str) -> Identify:
    def identify(entity_type: EntityType, query: SessionQuestion) -> QuestionKeys:
        provider = services.registry.get(query.source.id)
        if provider is None:
            return QuestionKeys((), 0)
        question = api.Question(entity_type, query.fields, query.wanted, organization_id)
        try:
            keys = _keys(provider, question)
            most = api.max_price(provider, question) if keys else 0
        except Exception:
            _log.exception("provider cannot read the question", provider=query.source.id)
            return QuestionKeys((), 0)
        return QuestionKeys(tuple(api.key_digest(key) for key in keys), most)

    return identify


def _keys(provider: api.Provider, question: api.Question) -> list[str]:
    """The question's own key, last; before it that of a wider one, whose kept answer serves it too."""
    own = provider.input_key(question)
    if own is None:
        return []
    wider = provider.broader_key(question) if isinstance(provider, api.BroaderQuery) else None
    return [own] if wider is None else [wider, own]


def sources_of(services: Services, config: Config) -> dict[EntityType, list[Source]]:
    """The sources that a configuration switches on, in order of priority, for each kind of record."""
    switched_on = [services.registry.get(rule.id) for rule in config.providers if rule.enabled]
    providers = [provider for provider in switched_on if provider is not None]
    return {kind: [provider.info.source(kind) for provider in providers] for kind in EntityType}


def past_of(row: SnapshotRow) -> StoredSnapshot:
    """A row of `models.decision_log`."""
    return StoredSnapshot(row.id, row.record_id, row.job_id, row.decided_at, row.body)


async def with_kept(
    organization_id: str,
    answers: AnswerIndex,
    compute: Callable[[], Awaitable[T]],
    *,
    unexpired_at: datetime | None = None,
) -> T:
    """The result of `compute`, once it misses no answer that is kept: one that is found may lead to further questions.

    `unexpired_at` leaves out what is not good any more at that time.
    """
    looked_up: set[Question] = set()
    while True:
        answers.missing.clear()
        answers.sought.clear()
        result = await compute()
        new = answers.sought - looked_up
        looked_up |= new
        if not new or not await _add_kept(organization_id, answers, new, unexpired_at):
            return result


async def _add_kept(
    organization_id: str, answers: AnswerIndex, questions: Iterable[Question], unexpired_at: datetime | None
) -> bool:
    """Look these questions up among the answers that are kept. Whether any was found."""
    expires_after = 0 if unexpired_at is None else to_micros(unexpired_at)
    wanted = list(questions)
    found = False
    for start in range(0, len(wanted), _AT_ONCE):
        items = [{"provider": source, "input_key": key} for source, key in wanted[start : start + _AT_ONCE]]
        sql = (
            "SELECT answer.provider, answer.input_key, answer.matched, answer.findings, answer.answered_at,"
            f" answer.expires_at FROM answer JOIN {rows({'provider': 'text', 'input_key': 'text'})}"
            " ON answer.provider = v.provider AND answer.input_key = v.input_key"
            " WHERE answer.organization_id = ? AND answer.state = 'answered' AND answer.expires_at > ?"
        )
        for row in await query(sql, [dump_rows(items), organization_id, expires_after]):
            found = True
            reply = _reply(row["provider"], row["input_key"], row)
            answers.kept[row["provider"], row["input_key"]] = IndexedAnswer(
                reply, from_micros(row["answered_at"]), from_micros(row["expires_at"])
            )
    return found


def _reply(source: str, key: str, row: Mapping[str, Any]) -> Reply:
    candidates = {
        finding["field"]: Candidate(
            source, finding["value"], finding["confidence"], datetime.fromisoformat(finding["observedAt"])
        )
        for finding in load(row["findings"]) or []
    }
    return Reply(
        StepOutcome.MATCH if row["matched"] else StepOutcome.NO_MATCH,
        candidates=candidates if row["matched"] else {},
        key=key,
        reused=True,
    )
