"""What is known of the answers of providers without asking any: for replays and previews."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import TypeVar

import structlog

from enrichment.config import Config
from enrichment.enums import EntityType, StepOutcome
from enrichment.replay.answer_index import AnswerIndex, Identify, QuestionKeys
from enrichment.replay.bill import Question
from enrichment.replay.stored import StoredSnapshot
from enrichment.waterfall.findings import read_findings
from enrichment.waterfall.planner import Source
from enrichment.waterfall.reply import Reply
from enrichment.waterfall.session import SessionQuestion
from enrichment.waterfall.skip_reason import SkipReason
from models.answer.cache import every_answer
from models.answer.row import CachedAnswer
from models.decision_log import SnapshotRow
from providers import api
from providers.sources import question_of, sources_of
from resolvers.conflict.trust import trust_of
from resolvers.context import Services
from resolvers.off_loop import off_loop

T = TypeVar("T")

_log = structlog.get_logger(__name__)


async def answers_of(
    services: Services,
    organization_id: str,
    config: Config,
    snapshots: Sequence[StoredSnapshot],
    *,
    in_force_only: bool = False,
) -> AnswerIndex:
    """The answers in these snapshots, ready to be found again; `with_cached` adds those that are cached.

    `config` says how long answers may be reused. `in_force_only`: an answer of a provider whose answers are cached
    counts only while it is cached, as for a job; after that the provider would be asked, and paid, again.
    """
    cached_only: set[str] = set()
    unable: dict[str, SkipReason] = {}
    lifetimes: dict[str, timedelta] = {}
    for provider_id in services.registry.ids():
        provider = services.registry.get(provider_id)
        assert provider is not None  # the registry named it
        lifetimes[provider_id] = timedelta(days=config.answer_days(provider_id, provider.info.answer_days))
        if in_force_only and provider.info.keeps_answers:
            cached_only.add(provider_id)
        if isinstance(provider, api.RequiresKey) and not await provider.configured(organization_id):
            unable[provider_id] = SkipReason.NO_KEY
    trust = (await trust_of([organization_id]))[organization_id]
    identify = _identify(services, organization_id)
    return await off_loop(AnswerIndex, snapshots, identify, unable, lifetimes, trust, cached_only)


def _identify(services: Services, organization_id: str) -> Identify:
    def identify(entity_type: EntityType, asked: SessionQuestion) -> QuestionKeys:
        provider = services.registry.get(asked.source.provider)
        if provider is None:
            return QuestionKeys((), 0)
        question = question_of(provider.info, entity_type, asked, organization_id)
        try:
            keys = _keys(provider, question)
            most = api.max_price(provider, question) if keys else 0
        except Exception:
            _log.exception("provider cannot read the question", provider=asked.source.id)
            return QuestionKeys((), 0)
        return QuestionKeys(tuple(api.key_digest(key) for key in keys), most)

    return identify


def _keys(provider: api.Provider, question: api.Question) -> list[str]:
    """The question's own key, last; before it that of a broader one, whose cached answer serves it too."""
    own = provider.input_key(question)
    if own is None:
        return []
    wider = provider.broader_key(question) if isinstance(provider, api.BroaderQuery) else None
    return [own] if wider is None else [wider, own]


def sources_by_type(services: Services, config: Config) -> dict[EntityType, list[Source]]:
    """The sources that a configuration switches on, in order of priority, for each kind of record."""
    switched_on = [services.registry.get(rule.id) for rule in config.providers if rule.enabled]
    infos = [provider.info for provider in switched_on if provider is not None]
    return {kind: sources_of(infos, kind, company_questions=config.company_questions) for kind in EntityType}


def to_stored(row: SnapshotRow) -> StoredSnapshot:
    """A row of `models.decision_log`."""
    return StoredSnapshot(row.id, row.record_id, row.job_id, row.decided_at, row.stored)


async def with_cached(
    organization_id: str,
    answers: AnswerIndex,
    compute: Callable[[], Awaitable[T]],
    *,
    serves: Callable[[CachedAnswer], bool] = lambda _: True,
) -> T:
    """The result of `compute`, once it misses no cached answer: one that is found may lead to further questions.

    Answers that do not serve (`serves`) are left out.
    """
    looked_up: set[Question] = set()
    while True:
        answers.missing.clear()
        answers.sought.clear()
        result = await compute()
        new = answers.sought - looked_up
        looked_up |= new
        if not new or not await _add_cached(organization_id, answers, new, serves):
            return result


async def _add_cached(
    organization_id: str,
    answers: AnswerIndex,
    questions: Iterable[Question],
    serves: Callable[[CachedAnswer], bool],
) -> bool:
    """Look these questions up among the cached answers. Whether any was found that serves."""
    found = [answer for answer in await every_answer(organization_id, list(questions)) if serves(answer)]
    for answer in found:
        assert answer.answered_at is not None
        assert answer.expires_at is not None  # both stand in every answered one
        answers.add_cached(
            (answer.provider, answer.input_key),
            _reply(answer),
            answered_at=answer.answered_at,
            expires_at=None if answer.matched else answer.expires_at,
        )
    return bool(found)


def _reply(answer: CachedAnswer) -> Reply:
    if answer.opted_out:
        return Reply(StepOutcome.SKIPPED, skipped=SkipReason.OPTED_OUT, key=answer.input_key, reused=True)
    return Reply(
        StepOutcome.MATCH if answer.matched else StepOutcome.NO_MATCH,
        candidates=read_findings(answer.provider, answer.findings or []) if answer.matched else {},
        key=answer.input_key,
        reused=True,
    )
