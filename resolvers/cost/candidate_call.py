"""A call that enriching a record may make, before any is made, and what one provider may be asked for many records."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from enrichment.enums import EntityType
from providers.api import Provider, Question, VariablePrice, key_digest, max_price
from providers.sources import company_question

# In place of identifiers that a source may find: which ones a provider is asked by shows without their values.
_EXAMPLES = {
    "firstName": "Jane",
    "lastName": "Doe",
    "email": "jane.doe@example.com",
    "name": "Example",
    "phone": "+12025550164",
    "mobilePhone": "+12025550165",
    "company": "Example",
    "domain": "example.com",
    "companyDomain": "example.com",
    "website": "https://example.com",
    "stockSymbol": "EXMP",
    "twitterHandle": "example",
    "twitterUrl": "https://x.com/example",
    "facebookUrl": "https://www.facebook.com/example",
}
_EXAMPLE_PROFILES = {
    EntityType.LEAD: "https://www.linkedin.com/in/jane-doe",
    EntityType.CONTACT: "https://www.linkedin.com/in/jane-doe",
    EntityType.ACCOUNT: "https://www.linkedin.com/company/example",
}


@dataclass(frozen=True, slots=True)
class CandidateCall:
    """A question that a provider may be asked about one record, and the most credits that its answer costs.

    `borrowable` are identifiers that answers before it may add to the question; None where there can be no such
    answers, so that it is asked as it is. `needs_borrowed`: it can be asked only with some of them, and holds examples
    in their place. `chance` (0-1) is how likely the call is needed. `about_company`: what the provider is asked is the
    question about the company of the person whom `question` describes. `match_rate` (0-1) is how likely it matches.
    """

    question: Question
    key: str
    max_credits: int
    chance: float
    borrowable: frozenset[str] | None = None
    needs_borrowed: bool = False
    about_company: bool = False
    match_rate: float = 1.0

    def is_settled(self, provider: Provider) -> bool:
        """Whether the question stays the same whatever is answered before it: for fewer fields, or more identifiers."""
        if self.borrowable is None or self.needs_borrowed:
            return not self.needs_borrowed
        full = with_example_ids(self.question, self.borrowable)
        others = [full, *(with_example_ids(self.question, {name}) for name in self.borrowable)]
        others += [_for_field(question, name) for question in (self.question, full) for name in self.question.wanted]
        return all(key_of(provider, other, about_company=self.about_company) == self.key for other in others)


@dataclass(slots=True)
class ProviderPlan:
    """What one provider may be asked: `calls`, and how often an answer that is stored serves instead (`reused`).

    `certain_credits`: what answers cost of which a part has come.
    """

    provider: Provider
    calls: list[CandidateCall] = field(default_factory=list)
    reused: int = 0
    certain_credits: int = 0
    _price_varies: bool = field(init=False)

    def __post_init__(self) -> None:
        self._price_varies = isinstance(self.provider, VariablePrice)  # looked up once: it is slow

    def max_credits(self, question: Question, *, about_company: bool = False) -> int:
        """The most credits that the question may cost."""
        if about_company and self._price_varies:
            question = company_question(self.provider.info, question.fields, question.organization_id)
        return max_price(self.provider, question) if self._price_varies else self.provider.info.price

    def distinct_calls(self) -> list[CandidateCall]:
        """The calls, where records with the same question share one, if each of them is sure to ask just that."""
        if not self.provider.info.keeps_answers:
            return self.calls
        by_key: dict[str, list[CandidateCall]] = defaultdict(list)
        for call in self.calls:
            by_key[call.key].append(call)
        return [call for same_key in by_key.values() for call in self._distinct(same_key)]

    def likely_calls(self) -> list[CandidateCall]:
        """The calls, where records that ask the same as far as is known share one: the likeliest of them.

        They share the answers before it too, so that it is mostly needed by all of them or by none.
        """
        if not self.provider.info.keeps_answers:
            return self.calls
        shared: dict[str, CandidateCall] = {}
        for call in self.calls:
            before = shared.get(call.key)
            # A pending answer is its own job's, and has no key.
            if call.key and (before is None or call.chance > before.chance):
                shared[call.key] = call
        return [*shared.values(), *(call for call in self.calls if not call.key)]

    def _distinct(self, same_key: Sequence[CandidateCall]) -> Iterator[CandidateCall]:
        if len(same_key) == 1:
            yield same_key[0]
            return
        shared: CandidateCall | None = None
        for call in same_key:
            if not call.is_settled(self.provider):
                yield call
            elif shared is None or (call.max_credits, call.chance) > (shared.max_credits, shared.chance):
                shared = call
        if shared is not None:
            yield shared


def example_ids(entity_type: EntityType) -> Mapping[str, str]:
    """A value for every identifier that a source may find for a record of this type."""
    return {**_EXAMPLES, "linkedinUrl": _EXAMPLE_PROFILES[entity_type]}


def with_example_ids(question: Question, names: Iterable[str]) -> Question:
    """The question as it would be with these identifiers."""
    examples = example_ids(question.entity_type)
    return replace(question, fields={**question.fields, **{name: examples[name] for name in names}})


def key_of(provider: Provider, question: Question, *, about_company: bool = False) -> str | None:
    """What decides the answer to a question; None where the provider cannot be asked it."""
    if about_company:
        question = company_question(provider.info, question.fields, question.organization_id)
    try:
        key = provider.input_key(question)
    except Exception:  # in a third party's code: a job passes the provider by as well
        return None
    return None if key is None else key_digest(key)


def _for_field(question: Question, name: str) -> Question:
    return replace(question, wanted=frozenset({name}))
