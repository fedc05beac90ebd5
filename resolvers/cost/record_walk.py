"""One record on its way through the waterfall, for the plan of calls: what it may ask, and what it may borrow."""

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from enrichment.catalogue import fields_of
from enrichment.config import Config
from enrichment.enums import JobTrigger, Strategy
from enrichment.fields_before import forms_before
from enrichment.waterfall.planner import Source, Want
from enrichment.waterfall.session import SessionQuestion, WaterfallSession
from enrichment.waterfall.yields import Yields
from providers.api import Question
from resolvers.cost.candidate_call import CandidateCall, ProviderPlan
from resolvers.cost.likelihood import Likelihood, Need

ASKED_IN_ANOTHERS_PLACE = 0.1  # how likely a provider is asked after as many as the configuration says were planned


@dataclass(frozen=True, slots=True)
class ActiveJob:
    """The active job of a record, which a request becomes part of.

    `answers_since`: no answer that was given before it serves the job. `pending`: the providers whose answers it waits
    for, and whether a part of each came.
    """

    trigger: JobTrigger
    forced: bool
    answers_since: datetime | None
    pending: Mapping[str, bool]


@dataclass(slots=True)
class RecordWalk:
    """The state of one record's walk. `question` asks for nothing yet; `job` is the record's active job; `raw` is what
    the CRM sent; `rules` are the configuration, whose floors the session leaves out.

    `calls`: by provider, what it may be asked as far as is known; `unaskable`: questions of providers that nothing is
    known to ask with; `consulted`: providers that may give an answer, stored or new.
    """

    session: WaterfallSession
    question: Question
    job: ActiveJob | None
    sources: Mapping[str, Source]
    rules: Config
    raw: Mapping[str, Any] = field(default_factory=dict)
    calls: dict[str, CandidateCall] = field(default_factory=dict)
    unaskable: list[SessionQuestion] = field(default_factory=list)
    consulted: set[str] = field(default_factory=set)
    _borrowable: frozenset[str] | None = None
    _forms_before: Mapping[str, Any] | None = None
    _planned: Counter[str] = field(default_factory=Counter)  # by field: the calls planned for it
    _likelihood: Likelihood = field(default_factory=Likelihood)
    _chances: dict[str, float] = field(init=False)
    _missing: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._missing = frozenset(
            known.name
            for known in fields_of(self.question.entity_type).values()
            if known.identifying and self.question.fields.get(known.name) is None
        )
        self._chances = {name: 1.0 for name, why in self.session.waterfall.wants.items() if why is not Want.NONE}
        if self.job is not None:  # an earlier attempt may have been answered already
            self.add_borrowable(frozenset().union(*(source.gives for source in self.sources.values())))

    @property
    def forms_before(self) -> Mapping[str, Any]:
        """The fields that an earlier version would ask with in another form (see `enrichment.fields_before`)."""
        if self._forms_before is None:
            self._forms_before = forms_before(self.question.entity_type, self.question.fields, self.raw)
        return self._forms_before

    @property
    def pending(self) -> dict[str, bool]:
        """The providers of the plan whose answers the record's job waits for, and whether a part of each came."""
        pending = {} if self.job is None else self.job.pending
        return {provider: came for provider, came in pending.items() if provider in self.sources}

    @property
    def may_borrow(self) -> bool:
        """Whether identifiers of an answer may be part of the questions from here on."""
        return bool(self._borrowable)

    def question_of(self, query: SessionQuestion) -> Question:
        """The question as a provider is asked it."""
        return replace(self.question, fields=query.fields, wanted=query.wanted)

    def add_borrowable(self, names: frozenset[str]) -> None:
        """An answer may add these fields; those that identify the record, and are missing, may be asked with."""
        self._borrowable = (self._borrowable or frozenset()) | (names & self._missing)

    def add_stored(self, names: frozenset[str]) -> None:
        """As `add_borrowable`, for a stored answer: what it adds is known, unless a new answer comes before it."""
        if self._borrowable is not None:
            self.add_borrowable(names)

    def borrowable_before(self, query: SessionQuestion) -> frozenset[str] | None:
        """What the answers before this question may add, of what the record still lacks; None: there are none."""
        if self._borrowable is None:
            return None
        return frozenset(name for name in self._borrowable if query.fields.get(name) is None)

    def borrowable_in_the_end(self, provider: str, fields: Mapping[str, Any]) -> frozenset[str] | None:
        """What may be added before a provider's last call: one that fails is repeated after all others answered."""
        others = [self.sources[other].gives for other in self.consulted if other != provider]
        if not others and self._borrowable is None:
            return None
        names = (self._borrowable or frozenset()).union(*others) & self._missing
        return frozenset(name for name in names if fields.get(name) is None)

    def unknown_company(self) -> list[SessionQuestion]:
        """The questions about the record's company, where it is not known yet and an answer may tell."""
        waterfall, question = self.session.waterfall, self.question
        if waterfall.knows_company:
            return []
        waterfall.knows_company = True  # the walk is over
        companies = [source for source in waterfall.sources if source.is_about_company]
        wanted = [(source, waterfall.could_give(source)) for source in companies]
        return [SessionQuestion(source, question.fields, names) for source, names in wanted if names]

    def pending_call(self, plan: ProviderPlan) -> CandidateCall:
        """The call whose answer the record's job waits for. What it was asked with is not known any more."""
        wanted = plan.provider.info.source(self.question.entity_type).gives
        question = replace(self.question, wanted=wanted)
        return CandidateCall(question, "", plan.max_credits(question), 1.0, needs_borrowed=True)

    def chance_of(self, query: SessionQuestion) -> float:
        """How likely the answers before leave something to ask for (0-1)."""
        if self.session.waterfall.config.strategy is Strategy.WATERFALL:
            return self._likelihood.of(self._need_of(query), self.yields)
        return max((self._chances[name] for name in self._worth(query)), default=0.0)

    def _worth(self, query: SessionQuestion) -> frozenset[str]:
        return query.wanted & self.session.waterfall.worth_paying() if query.source.price else query.wanted

    def _need_of(self, query: SessionQuestion) -> Need:
        source, rules, names = query.source, self.rules, self._worth(query)
        if not source.price:
            return Need(source.id, names, is_paid=False)
        cost = self.session.waterfall.expected_cost(source, query.wanted)
        least = None if rules.value_floor is None else rules.value_floor * cost
        return Need(source.id, names, least, rules.min_chance)

    @property
    def yields(self) -> Yields:
        """What the sources brought so far."""
        return self.session.waterfall.yields

    def expect_asked(self, wanted: frozenset[str]) -> None:
        """A provider will be asked for these fields, of the most that the configuration lets be asked for each."""
        waterfall = self.session.waterfall
        for name in wanted:
            self._planned[name] += 1
            if waterfall.asked.get(name, 0) + self._planned[name] >= waterfall.config.consensus_size:
                self._chances[name] = ASKED_IN_ANOTHERS_PLACE

    def expect_stored(self, settled: Set[str]) -> None:
        """A stored answer most likely settles these fields."""
        self._likelihood.settle(settled)

    def expect(self, query: SessionQuestion) -> None:
        """A provider will be asked where there is need, so that the next is needed that much less."""
        settles = query.source.gives & self.session.waterfall.unsettled()
        self._likelihood.expect(self._need_of(query), settles, self.yields)
