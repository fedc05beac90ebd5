"""One question of a job to a provider, on its way through the stages."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from enrichment.waterfall.company_question import as_persons, persons_field
from models.answer.row import AnswerKey, CachedAnswer
from providers.abilities import Abilities
from providers.api import Provider, Question
from providers.bulk import Batch
from workers.job.load import ClaimedJob
from workers.lookup.batched_store import CallSettlement
from workers.lookup.concurrency import Turn
from workers.lookup.reply import LookupReply


class Stage(StrEnum):
    """What a lookup is to pass next: see `workers.lookup.stages`."""

    START = "start"
    RESUME = "resume"  # an answer that its provider gives later, or gave meanwhile
    KEY = "key"  # the input key
    CLEAR = "clear"  # may it be asked?
    REUSE = "reuse"  # answers that were kept for other forms of the question
    ACQUIRE = "acquire"  # the answer that was kept for it, or the question to itself
    TURN = "turn"  # others call its provider first
    ASKED_BY_ANOTHER = "asked_by_another"  # its answer will be kept in a moment
    RESERVE = "reserve"  # the credits that it may cost
    CALL = "call"
    WITHHOLD = "withhold"  # from its answer, what is suppressed or erased
    UNSETTLED = "unsettled"  # it has an answer, and the database does not take it at this moment
    SETTLE = "settle"  # what it holds: charged and stored, or released
    REPLIED = "replied"
    AWAY = "away"  # it waits for something outside, and comes back for the stage that follows
    FAILED = "failed"  # by `error`
    WITHDRAWN = "withdrawn"  # its job is another's, or was cancelled, or the worker stops


@dataclass(slots=True, eq=False)
class Lookup:
    """A question, what it holds meanwhile, and its reply once there is one.

    `holds` says that the question is leased to the job: it is settled, or released, at the end. `cached` is what was
    kept of the question. `sent` says that the question may have reached its provider, `called` that the reply is the
    provider's own, just given, and `judged` that what must not be used has been taken from it.
    """

    job: ClaimedJob
    provider: Provider
    abilities: Abilities
    question: Question
    source_id: str  # of the waterfall: the provider, or its question about a person's company
    stage: Stage = Stage.START
    key: str | None = None  # the digest of its input key
    batch: Batch | None = None  # with which other questions it may go out
    answer_key: AnswerKey | None = None
    holds: bool = False
    reservation_id: str | None = None
    turn: Turn | None = None
    patient_until: float | None = None  # for an answer that another job is asking for
    cached: CachedAnswer | None = None
    sent: bool = False
    called: bool = False
    judged: bool = False
    settlement: CallSettlement | None = None  # of its answer
    tries: int = 0  # to settle it
    withdrawn: bool = False  # nobody wants the reply any more
    stopped: bool = False  # nothing is waited for any more: the worker stops
    waiting: asyncio.Task[None] | None = None  # while it is away
    error: Exception | None = None
    _reply: LookupReply | None = field(default=None)

    @property
    def is_about_company(self) -> bool:
        """Whether the question is about the company of the job's record, which is a person."""
        return self.question.entity_type is not self.job.entity_type

    @property
    def reply(self) -> LookupReply:
        """What became of it. There is one from the stage `WITHHOLD` on."""
        assert self._reply is not None
        return self._reply

    def replied(self, reply: LookupReply) -> None:
        """This became of it, with values as much believed as the trust of today says."""
        if self.is_about_company:
            reply.candidates = as_persons(self.job.entity_type, reply.candidates)
            reply.withheld = frozenset(filter(None, map(persons_field, reply.withheld)))
        reply.candidates = self.job.trust.believed(self.job.entity_type, reply.candidates)
        reply.key = reply.key or self.key
        self._reply, self.stage = reply, Stage.REPLIED

    def answered(self, reply: LookupReply) -> None:
        """It has an answer, which is judged next."""
        self._reply, self.stage = reply, Stage.WITHHOLD

    def ended(self, reply: LookupReply) -> None:
        """It has a reply in which nothing is to be judged. What it holds is released."""
        self._reply, self.stage = reply, Stage.SETTLE

    def note_sent(self) -> None:
        """The question goes out now."""
        self.sent = True

    def is_about(self, cached: CachedAnswer) -> bool:
        """Whether this was kept of the very question, and not of another form of it."""
        return self.answer_key is not None and cached.key == self.answer_key.key

    def is_patient(self, seconds: float) -> bool:
        """Whether it still waits for an answer that another job is asking for: so long at most."""
        now = time.monotonic()
        if self.patient_until is None:
            self.patient_until = now + seconds
        return now < self.patient_until

    def fail(self, error: Exception) -> None:
        """A fault of our own stands in the way."""
        self.error, self.stage = error, Stage.FAILED

    def withdraw(self, *, at_once: bool = False) -> None:
        """Ask no more. An answer that is on its way is paid for, so it is waited for and kept, unless `at_once`."""
        self.withdrawn = True
        self.stopped |= at_once
        if self.waiting is not None and (at_once or not (self.sent or self.called)):
            self.waiting.cancel()

    def leave_turn(self) -> None:
        """Let another job have its turn."""
        if self.turn is not None:
            self.turn.leave()
            self.turn = None


def at(stage: Stage, lookups: Iterable[Lookup]) -> list[Lookup]:
    """Those that are to pass this stage next."""
    return [lookup for lookup in lookups if lookup.stage is stage]
