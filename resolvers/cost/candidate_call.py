"""A question that enriching a record may ask, before anyone is asked, and what is made of many of them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from enrichment.enums import EntityType
from providers.api import Provider, Question, VariablePrice, key_digest, max_price

# Stand in for identifiers that a source may lend: which ones a provider is asked by shows without their values.
_LENT = {
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
_PROFILE = {
    EntityType.LEAD: "https://www.linkedin.com/in/jane-doe",
    EntityType.CONTACT: "https://www.linkedin.com/in/jane-doe",
    EntityType.ACCOUNT: "https://www.linkedin.com/company/example",
}


@dataclass(frozen=True, slots=True)
class CandidateCall:
    """A question that may be asked about one record, and the most credits that its answer costs.

    `lendable` are identifiers that answers before it may add, None where there can be no such answers: then it is
    asked just so. `borrowed_ids`: it can be asked only with some of them, which stand in it made up. `chance` (0-1)
    is that of its being needed.
    """

    question: Question
    key: str
    most: int
    chance: float
    lendable: frozenset[str] | None = None
    borrowed_ids: bool = False


@dataclass(slots=True)
class Part:
    """What one provider may be asked: `possible` questions, and `reused` kept answers."""

    provider: Provider
    possible: list[CandidateCall] = field(default_factory=list)
    reused: int = 0
    certain: int = 0  # credits that an answer which came in part will cost
    _is_priced: bool = field(init=False)

    def __post_init__(self) -> None:
        self._is_priced = isinstance(self.provider, VariablePrice)  # asked once: it is slow

    def most(self, question: Question) -> int:
        """The most credits that the question may cost."""
        return max_price(self.provider, question) if self._is_priced else self.provider.info.price

    def questions(self) -> list[CandidateCall]:
        """The calls that there may be: records with the same question are one call, if they are sure to ask it."""
        if not self.provider.info.keeps_answers:
            return self.possible
        by_key: dict[str, list[CandidateCall]] = defaultdict(list)
        for one in self.possible:
            by_key[one.key].append(one)
        return [call for alike in by_key.values() for call in self._calls(alike)]

    def _calls(self, alike: Sequence[CandidateCall]) -> Iterator[CandidateCall]:
        if len(alike) == 1:
            yield alike[0]
            return
        shared: CandidateCall | None = None
        for one in alike:
            if not is_firm(self.provider, one):
                yield one
            elif shared is None or (one.most, one.chance) > (shared.most, shared.chance):
                shared = one
        if shared is not None:
            yield shared


def stand_ins(entity_type: EntityType) -> Mapping[str, str]:
    """A value for every identifier that a source may lend for a record of this type."""
    return {**_LENT, "linkedinUrl": _PROFILE[entity_type]}


def is_firm(provider: Provider, one: CandidateCall) -> bool:
    """Whether the question is asked just so whatever is answered before it: about less, or with more identifiers."""
    if one.lendable is None or one.borrowed_ids:
        return not one.borrowed_ids
    asked = one.question
    every = with_borrowed_ids(asked, one.lendable)
    others = [every, *(with_borrowed_ids(asked, {name}) for name in one.lendable)]
    others += [_about(question, name) for question in (asked, every) for name in asked.wanted]
    return all(key_of(provider, other) == one.key for other in others)


def key_of(provider: Provider, question: Question) -> str | None:
    try:
        key = provider.input_key(question)
    except Exception:  # of a third party's: a job will pass it by as well
        return None
    return None if key is None else key_digest(key)


def with_borrowed_ids(question: Question, borrowed_ids: Iterable[str]) -> Question:
    known = stand_ins(question.entity_type)
    return replace(question, fields={**question.fields, **{name: known[name] for name in borrowed_ids}})


def _about(question: Question, name: str) -> Question:
    return replace(question, wanted=frozenset({name}))
