"""Which of the stalest records a day's credits reach: in order, each at the most that it may cost."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from enrichment.enums import EntityType

Question = Hashable  # whom and with what; two records may need the same answer


@dataclass(frozen=True, slots=True)
class RefreshCandidate:
    """A record that is due. `questions` are those that cost credits, each with the most it may cost."""

    record_id: str
    entity_type: EntityType
    questions: Mapping[Question, int]


@dataclass(frozen=True, slots=True)
class ChosenRefresh:
    """A record to refresh, and the most that it may cost."""

    candidate: RefreshCandidate
    most: int


def choose(
    candidates: Sequence[RefreshCandidate], *, room: int | None, at_most: int, record_limit: int | None = None
) -> list[ChosenRefresh]:
    """The records to refresh now, of the candidates in their order.

    `room` is how many credits may still be spent (None: no limit) and `at_most` how many records may be taken. A
    record whose most does not fit is passed over for those that fit, and stays planned. A question is paid for
    once, by the first record that needs it. `record_limit` is the most that a record may cost.
    """
    chosen: list[ChosenRefresh] = []
    paid: set[Question] = set()
    for candidate in candidates:
        if len(chosen) >= at_most:
            break
        most = sum(price for question, price in candidate.questions.items() if question not in paid)
        if record_limit is not None:
            most = min(most, record_limit)
        if room is not None:
            if most > max(room, 0):
                continue
            room -= most
        paid |= candidate.questions.keys()
        chosen.append(ChosenRefresh(candidate, most))
    return chosen
