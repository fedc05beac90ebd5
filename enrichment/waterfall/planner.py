"""Which provider to ask next: in order of priority or of value, each only for what it could still give.

The stop is per field: a field is settled once a source gave a value of enough confidence, or under `consensus` once as
many sources were asked for it as the configuration says. A provider whose fields are all settled is not called. A paid
provider is called only to fill or refresh what is worth paying for (`payFor`); a free one also to check a value that
the CRM holds, and for fields that may not cost anything.
"""

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum

from enrichment.config import Config, EntityPayFor, QuestionOrder
from enrichment.enums import EntityType, FieldPolicy, JobTrigger, Strategy
from enrichment.provenance import Current
from enrichment.waterfall.skip_reason import SkipReason
from enrichment.waterfall.yields import NO_YIELDS, Yields

ALL_FIELDS = EntityPayFor()
COMPANY = "/company"  # ends the id of a source that is asked about a person's company


class Want(StrEnum):
    """Why a field is looked up."""

    FILL = "fill"  # empty, or to be refreshed: worth paying for
    CHECK = "check"  # the CRM's value, to compare: only from free sources
    NONE = "none"  # nothing could change it


@dataclass(frozen=True, slots=True)
class Source:
    """What the plan needs to know of a provider, or of its question about a person's company.

    `apart`: what of `gives` the provider is asked for by a question of its own, about the company, once that is known.
    """

    id: str
    gives: frozenset[str]
    price: int = 0
    extra: frozenset[str] = frozenset()  # of these a value costs `extra_price` more: bought only to fill or refresh
    extra_price: int = 0
    apart: frozenset[str] = frozenset()
    counts_misses: bool = False  # a miss costs `price` too

    @property
    def provider(self) -> str:
        """The id of the provider that is asked."""
        return provider_of(self.id)

    @property
    def is_about_company(self) -> bool:
        """Whether it is asked about a person's company, as about an account."""
        return self.id.endswith(COMPANY)

    def apart_from(self, fields: frozenset[str]) -> "Source":
        """The same where these fields are asked for by a question about the company."""
        return replace(self, apart=self.gives & fields)

    def most(self, wanted: Set[str]) -> int:
        """The most credits that asking for these may cost."""
        return self.price + (self.extra_price if not self.extra.isdisjoint(wanted) else 0)

    def plain(self) -> "Source":
        """The same without what costs more."""
        return replace(self, gives=self.gives - self.extra)


def provider_of(source_id: str) -> str:
    """The id of the provider behind a source."""
    return source_id.removesuffix(COMPANY)


_OVER_A_PERSON = {FieldPolicy.OVERWRITE: Want.FILL, FieldPolicy.REVIEW: Want.CHECK}


def want(config: Config, entity_type: EntityType, name: str, current: Current | None, *, refresh: bool) -> Want:
    """Whether and why a field is looked up, by its policy and the value it has.

    `refresh` says that values of enrichment's own are to be looked up again.
    """
    policy = config.by_field[entity_type][name].rule.policy
    if policy is FieldPolicy.NEVER:
        return Want.NONE
    if current is None or current.value is None:
        return Want.FILL
    if policy is FieldPolicy.FILL_EMPTY:
        return Want.NONE
    if current.is_a_persons:
        return _OVER_A_PERSON.get(policy, Want.NONE)
    return Want.FILL if refresh else Want.CHECK


def refreshes(trigger: JobTrigger, *, forced: bool) -> bool:
    """Whether a job looks up again what enrichment itself wrote before."""
    return trigger is JobTrigger.SCHEDULED_REFRESH or (trigger is JobTrigger.MANUAL and forced)


@dataclass(slots=True)
class Waterfall:
    """Which fields of one job still lack a value, and who could give it. The caller asks, and reports with `answered`.

    `wants` names every field looked up and why; `pay_for` which of them may cost credits; `confident` the fields for
    which a source gave a value of enough confidence; `asked` counts, by field, the sources that were asked for it.
    """

    config: Config
    sources: Sequence[Source]  # enabled ones, in order of priority
    wants: Mapping[str, Want]
    pay_for: EntityPayFor = ALL_FIELDS
    confident: set[str] = field(default_factory=set)
    asked: dict[str, int] = field(default_factory=dict)
    knows_company: bool = False  # so that it can be asked about by itself
    put_off: set[str] = field(default_factory=set)  # providers whose question about the person is to be put again
    matched: bool = False  # whether a paid source knew the record
    matched_company: bool = False  # whether one knew the company that the person works for
    yields: Yields = NO_YIELDS  # what the sources brought so far; read where the configuration weighs it
    done: set[str] = field(default_factory=set)
    _looked_up: dict[Want | None, frozenset[str]] = field(default_factory=dict, repr=False)
    _unsettled: dict[Want | None, frozenset[str]] = field(default_factory=dict, repr=False)  # until the next answer

    def unsettled(self, reason: Want | None = None) -> frozenset[str]:
        """Fields for which another source may still be asked, of one reason or of any."""
        known = self._unsettled.get(reason)
        if known is None:
            known = self._unsettled[reason] = self.looked_up(reason) - self._settled()
        return known

    def looked_up(self, reason: Want | None = None) -> frozenset[str]:
        """The fields that are looked up, for one reason or for any."""
        known = self._looked_up.get(reason)
        if known is None:
            wanted = {Want.FILL, Want.CHECK} if reason is None else {reason}
            known = self._looked_up[reason] = frozenset(name for name, why in self.wants.items() if why in wanted)
        return known

    def _settled(self) -> Set[str]:
        if self.config.strategy is Strategy.WATERFALL:
            return self.confident
        return {name for name, times in self.asked.items() if times >= self.config.consensus_size}

    def could_give(self, source: Source) -> frozenset[str]:
        """The unsettled fields worth asking this source for; empty when it should not be called."""
        paying = self.worth_paying()
        extra = source.extra & paying
        if not self.pay_for.affords(extra, source.extra_price):
            extra = frozenset()
        if source.is_about_company and (not self.knows_company or source.provider in self.put_off):
            return frozenset()
        possible = (source.gives & self.unsettled()) - (source.extra - extra)
        if self.knows_company:
            possible -= source.apart
        if source.price and not self._is_worth(source, possible, possible & paying):
            return frozenset()
        return possible

    def _is_worth(self, source: Source, possible: Set[str], paying: Set[str]) -> bool:
        if not self.pay_for.affords(paying, source.most(possible)):
            return False
        least = self.config.min_chance
        if least is not None and self.yields.chance_of_any(source.id, paying, later=self._is_later(source)) < least:
            return False
        floor = self.config.value_floor
        return floor is None or self._values_a_credit(source, possible, paying) >= floor

    def _is_later(self, source: Source) -> bool:
        """Whether another source matched before, and left empty what this one is asked for."""
        return self.matched or (self.matched_company and source.is_about_company)

    def _values_a_credit(self, source: Source, possible: Set[str], paying: Set[str]) -> float:
        """How many values that are worth paying for each credit for this source is expected to bring."""
        cost = self.expected_cost(source, possible)
        return self.yields.expected_values(source.id, paying, later=self._is_later(source)) / cost if cost else math.inf

    def expected_cost(self, source: Source, possible: Set[str]) -> float:
        """What a match of this source, asked for these fields, is expected to cost, with the misses that it counts."""
        cost = float(source.price)
        if extra := source.extra & possible:
            later = self._is_later(source)
            cost += source.extra_price * max(self.yields.fill_rate(source.id, name, later=later) for name in extra)
        if source.counts_misses:
            cost = max(cost, source.price / self.yields.match_rate(source.id))
        return cost

    def worth_paying(self) -> frozenset[str]:
        """The unsettled fields that may cost credits: those to be filled or refreshed, and worth it."""
        return self.pay_for.among(self.unsettled(Want.FILL))

    def next(self) -> Source | None:
        """The next source to ask, or None when nobody left could help.

        By value free sources go first, and then whose values are expected to cost least.
        """
        left = (source for source in self.sources if source.id not in self.done)
        if self.config.order is QuestionOrder.PRIORITY:
            return next(filter(self.could_give, left), None)
        askable = [(source, possible) for source in left if (possible := self.could_give(source))]
        paying = self.worth_paying()
        # The first of equals stays the first.
        return max(
            askable,
            key=lambda each: self._values_a_credit(each[0], each[1], each[1] & paying) if each[0].price else math.inf,
            default=(None, frozenset()),
        )[0]

    def answered(self, source_id: str, confident: Set[str], asked: Set[str]) -> None:
        """Note for which fields a source was `asked` (none: it could not be), and which it gave confidently."""
        self.done.add(source_id)
        self._unsettled.clear()
        self.confident |= confident
        for name in asked:
            self.asked[name] = self.asked.get(name, 0) + 1

    def why_not_asked(self, source: Source) -> SkipReason:
        """Why a source was never asked."""
        if not source.gives & self.looked_up():
            return SkipReason.NOT_OFFERED
        if source.price and source.gives & self.unsettled():
            return SkipReason.NOT_WORTH_PAYING
        return SkipReason.SETTLED
