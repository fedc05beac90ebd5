"""Which of the stalest records a day's credits reach."""

from enrichment.enums import EntityType
from enrichment.learn.refresh import RefreshCandidate, choose


def test_what_fits_is_chosen_in_order_and_what_does_not_stays_planned() -> None:
    def record(name: str, **questions: int) -> RefreshCandidate:
        return RefreshCandidate(name, EntityType.LEAD, dict(questions.items()))

    candidates = [record("a", x=3), record("b", x=3, y=5), record("c", z=9), record("d", z=9, x=3), record("e")]

    def chosen(room: int | None, at_most: int = 9, record_limit: int | None = None) -> list[tuple[str, int]]:
        found = choose(candidates, room=room, at_most=at_most, record_limit=record_limit)
        return [(refresh.candidate.record_id, refresh.most) for refresh in found]

    assert chosen(None) == [("a", 3), ("b", 5), ("c", 9), ("d", 0), ("e", 0)]  # a question is paid for once
    assert chosen(10) == [("a", 3), ("b", 5), ("e", 0)]
    assert chosen(2) == [("e", 0)]
    assert chosen(12, record_limit=4) == [("a", 3), ("b", 4), ("c", 4), ("d", 0), ("e", 0)]
    assert chosen(None, at_most=2) == [("a", 3), ("b", 5)]
