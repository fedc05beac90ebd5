"""The harness itself: it sees a call that is in no number, and a charge that nobody served."""

from faults.caller import Caller
from faults.calls import Line, compare_calls
from faults.load import OrganizationLoad
from tests.support.paid_standin import Account, Asked


def _load(*asked: tuple[str, str]) -> dict[str, OrganizationLoad]:
    account = Account(asked=[Asked("apollo", about, outcome, 12.0) for about, outcome in asked])
    return {"acme": OrganizationLoad(Caller("acme", ["http://127.0.0.1:9"]), account, seed=1)}


def _line(label: str, *, charged: bool = False, maybe: bool = False) -> Line:
    return Line("acme", "apollo", label, charged=charged, maybe=maybe)


def test_calls_that_are_charged_or_maybe_charged_are_seen_and_others_are_named() -> None:
    loads = _load(
        ("paid.example", "match"),
        ("hung.example", "hang"),
        ("lost.example", "match"),
        ("lost.example", "match"),
        ("missed.example", "miss"),
    )
    lines = [_line("paid", charged=True), _line("hung", maybe=True), _line("lost", charged=True), _line("missed")]
    count = compare_calls(loads, lines, started=10.0)
    assert (count.counted, count.charged, count.maybe, count.unserved) == (4, 2, 1, [])
    assert list(map(str, count.unseen)) == ["apollo lost: counted 2, charged 1, maybe 0; calls at 2.0, 2.0 s"]


def test_a_charge_beyond_what_was_served_is_named() -> None:
    lines = [_line("paid", charged=True), _line("missed", charged=True)]
    count = compare_calls(_load(("paid.example", "match"), ("missed.example", "miss")), lines, started=10.0)
    assert (count.unseen, count.unserved) == ([], ["acme apollo missed"])
