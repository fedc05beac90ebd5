"""The questions of one job, asked of nobody: what is asked next follows from what was heard."""

from datetime import UTC, datetime
from typing import Any

from enrichment.config import Config
from enrichment.decide.job_outcome import Attempt, job_outcome
from enrichment.decide.merge import Candidate
from enrichment.enums import EntityType, JobStatus, JobTrigger, StepOutcome
from enrichment.waterfall.planner import Source
from enrichment.waterfall.reply import Reply
from enrichment.waterfall.session import JobContext, WaterfallSession
from enrichment.waterfall.skip_reason import SkipReason

AT = datetime(2026, 11, 24, 7, tzinfo=UTC)


def _subject(fields: dict[str, Any], **rules: Any) -> JobContext:
    return JobContext(
        entity_type=EntityType.ACCOUNT,
        config=Config.model_validate(rules),
        trigger=JobTrigger.RECORD_CREATED,
        forced=False,
        fields=fields,
        current={},
        rejected=frozenset(),
        asked_at=AT,
    )


def _source(name: str, *gives: str, price: int = 0) -> Source:
    return Source(name, frozenset(gives), price)


def _match(source: str, credits: int = 0, **found: tuple[Any, float]) -> Reply:
    candidates = {name: Candidate(source, value, belief, AT) for name, (value, belief) in found.items()}
    return Reply(StepOutcome.MATCH, candidates=candidates, credits=credits)


def test_what_one_source_found_helps_to_ask_the_next_which_is_believed_no_more() -> None:
    session = WaterfallSession(_subject({"name": "Acme"}), [_source("a", "domain"), _source("b", "industry", "domain")])
    first = session.next_question()
    assert first is not None
    assert (first.source.id, first.fields) == ("a", {"name": "Acme"})
    session.record_reply("a", _match("a", domain=("acme.com", 0.8)))
    second = session.next_question()
    assert second is not None
    assert (second.source.id, second.fields["domain"]) == ("b", "acme.com")
    assert second.wanted == {"industry"}
    session.record_reply("b", _match("b", industry=("Software", 0.9)))
    assert session.next_question() is None
    assert session.results["b"].candidates["industry"].confidence == 0.8 * 0.9
    assert session.replies["b"].reply.candidates["industry"].confidence == 0.9


def test_a_source_that_would_cost_more_than_the_record_may_is_passed_by() -> None:
    sources = [_source("a", "domain", price=2), _source("b", "industry", price=2), _source("c", "phone")]
    session = WaterfallSession(_subject({"name": "Acme"}, credits={"perRecordMax": 3}), sources)
    session.next_question()
    session.record_reply("a", _match("a", credits=2, domain=("acme.com", 0.9)))
    following = session.next_question()
    assert following is not None
    assert following.source.id == "c"
    assert session.results["b"].skipped is SkipReason.PER_RECORD_MAX


def test_nobody_is_asked_after_an_answer_that_has_to_be_waited_for() -> None:
    session = WaterfallSession(_subject({"name": "Acme"}), [_source("a", "domain"), _source("b", "industry")])
    session.next_question()
    session.record_reply("a", Reply(StepOutcome.SKIPPED, skipped=SkipReason.WAITING, waits_until=AT))
    assert session.next_question() is None
    end = job_outcome(session, session.decide(), Config(), Attempt(1, 5, AT, AT))
    assert (end.status, end.next_attempt_at, end.counts) == (JobStatus.PENDING, AT, False)


def test_what_was_answered_before_is_not_asked_again() -> None:
    session = WaterfallSession(_subject({"name": "Acme"}), [_source("a", "domain"), _source("b", "industry")])
    session.restore_reply("a", _match("a", domain=("acme.com", 0.8)))
    following = session.next_question()
    assert following is not None
    assert following.source.id == "b"
    assert following.fields["domain"] == "acme.com"
    assert "a" not in session.replies
    session.record_reply("b", Reply(StepOutcome.NO_MATCH))
    assert session.replies["b"].borrowed_ids == {"domain": "acme.com"}


def test_whoever_opted_out_at_one_source_is_asked_about_nowhere() -> None:
    sources = [_source("a", "domain", price=2), _source("b", "industry", price=2), _source("c", "phone")]
    session = WaterfallSession(_subject({"name": "Acme"}), sources)
    session.next_question()
    session.record_reply("a", Reply(StepOutcome.SKIPPED, skipped=SkipReason.OPTED_OUT))
    assert session.next_question() is None
    assert {session.reply_of(source).skipped for source in sources} == {SkipReason.OPTED_OUT}
    outcome = job_outcome(session, session.decide(), Config(), Attempt(1, 3, AT, AT))
    assert (outcome.status, outcome.matched, outcome.error_code) == (JobStatus.SKIPPED, None, "opted_out")


def test_an_opt_out_of_an_earlier_attempt_holds() -> None:
    session = WaterfallSession(_subject({"name": "Acme"}), [_source("a", "domain"), _source("b", "industry")])
    session.restore_reply("a", Reply(StepOutcome.SKIPPED, skipped=SkipReason.OPTED_OUT))
    assert session.next_question() is None
