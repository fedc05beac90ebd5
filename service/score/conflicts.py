"""Scores which conflicts are raised, by field: precision and recall against the truth files.

There are three questions, and each is counted apart.

- A CRM value that is wrong. The truth names these (`wrong_fields`); a conflict is expected for each of them. Any
  other filled field expects none, except where the sources of the data set contradict each other by more than
  wording: there a conflict is neither expected nor needless.
- A name that is wrong. The truth gives the right name but does not judge the CRM's. One that differs from it by more
  than wording counts as wrong, except where the truth says that another source calls the company so.
- Sources that disagree. The truth lists every field on which their texts differ (`conflict_fields`), wording
  included; the last block counts them so. `sample/verdicts.csv`, judged by hand and apart from the product's own
  comparison, says which of those mean the same (Banks and banking) and which differ (Banks and Insurance); a word
  that names no industry ("technology") contradicts none. A pair of labels that it does not know is not counted.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from enrichment.catalogue import is_equivalent
from enrichment.decide.decision import Decision
from enrichment.enums import ConflictReason, FieldOutcomeReason
from enrichment.normalize.text.text import words
from service.score.trial import Outcome

Row = Mapping[str, str]

HELD, NAMED, DISPUTE, LISTED = "held", "named", "dispute", "listed"
_BLOCKS = {
    HELD: "A CRM value that is wrong",
    NAMED: "A name that is wrong",
    DISPUTE: "Sources that disagree",
    LISTED: "Sources that disagree, wording included",
}
_TOGETHER = (HELD, NAMED, DISPUTE)
# The columns of the truth that say a field is wrong or disputed, and the fields that they mean.
COLUMNS = {
    "industry": "industry",
    "employees": "numberOfEmployees",
    "founded": "foundedYear",
    "city": "city",
    "country": "country",
    "country_code": "country",
}
FIELDS = tuple(dict.fromkeys(COLUMNS.values()))
_NAMES = frozenset({"name", "company", "firstName", "lastName"})
_SOURCES = ("directory", "directory_archive")
_CALLED_SO = "name:source_b_name"


@dataclass(slots=True)
class ConflictTally:
    """Conflicts of one field: those `raised` and `missed` of the expected ones, and the `needless` ones."""

    raised: int = 0
    missed: int = 0
    needless: int = 0

    def add(self, other: "ConflictTally") -> None:
        self.raised += other.raised
        self.missed += other.missed
        self.needless += other.needless

    @property
    def precision(self) -> float | None:
        return self.raised / (self.raised + self.needless) if self.raised + self.needless else None

    @property
    def recall(self) -> float | None:
        return self.raised / (self.raised + self.missed) if self.raised + self.missed else None


@dataclass(slots=True)
class ConflictScore:
    """The tallies of a run, and a line for each conflict that was missed or needless."""

    tallies: dict[tuple[str, str], ConflictTally] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)

    def held(self, record_id: str, outcome: Outcome, truth: Row, answers: Mapping[str, list[Any]]) -> None:
        """Count what the record's own values led to. `answers` are the right values by field, where known."""
        for name in (*FIELDS, *(answers.keys() & _NAMES)):
            value = outcome.cleaned.values.get(name)
            if value is None:
                self.notes["empty"] += name in (wrong_fields(truth) or ())
                continue
            wrong = self._is_wrong(name, value, outcome, truth, answers.get(name, []))
            raised = _asks_about(name, outcome.decisions[name])
            if wrong is None:
                disputed = name in real_disputes(truth)
                self.notes["contested"] += disputed
                self.notes["contested, raised"] += disputed and raised
                continue
            shown = f"{value!r}, {outcome.decisions[name].reason.value}: {outcome.decisions[name].detail}"
            self._count(NAMED if name in _NAMES else HELD, name, record_id, shown, expected=wrong, raised=raised)

    def _is_wrong(self, name: str, value: Any, outcome: Outcome, truth: Row, answers: list[Any]) -> bool | None:
        """Whether the CRM's value is wrong; None where the truth leaves it open."""
        right = bool(answers) and any(is_equivalent(outcome.entity_type, name, value, answer) for answer in answers)
        if name in _NAMES:
            called_so = not right and _CALLED_SO in truth.get("mutations", "")
            return None if called_so or not answers else not right
        wrong = wrong_fields(truth)
        if wrong is None:
            return not right if answers else None
        if name in wrong:
            return True
        return None if name in real_disputes(truth) else False

    def disputed(self, record_id: str, outcome: Outcome, truth: Row) -> None:
        """Count whether the sources' disagreement is noticed. The outcome is of the record decided as if blank."""
        listed = listed_disputes(truth)
        for name in FIELDS:
            decision = outcome.decisions[name]
            disagree = decision.question is not None and decision.question.reason is ConflictReason.PROVIDERS_DISAGREE
            raised = disagree and _asks_about(name, decision)
            pair = [outcome.found(source, name) for source in _SOURCES]
            shown = f"{pair[0]!r} and {pair[1]!r}"
            self._count(LISTED, name, "", shown, expected=name in listed, raised=raised)
            verdict = _verdict(name, *pair) if name in listed else "same"
            if verdict is None:
                self.notes["unjudged"] += 1
                continue
            self.notes["wording"] += name in listed and verdict == "same"
            self._count(DISPUTE, name, record_id, shown, expected=verdict == "different", raised=raised)

    def _count(self, block: str, name: str, record_id: str, shown: str, *, expected: bool, raised: bool) -> None:
        tally = self.tallies.setdefault((block, name), ConflictTally())
        if expected:
            tally.raised += raised
            tally.missed += not raised
        else:
            tally.needless += raised
        if expected is not raised and block != LISTED:
            self.faults.append(f"{'missed' if expected else 'needless'}  {block}  {name}  {record_id}  {shown}")

    def total(self, blocks: Iterable[str] = _TOGETHER, name: str | None = None) -> ConflictTally:
        """The sum over fields, or over the blocks for one field."""
        total = ConflictTally()
        for (block, field_name), tally in self.tallies.items():
            if block in blocks and name in (None, field_name):
                total.add(tally)
        return total

    def lines(self) -> Iterator[str]:
        """The table: a line for each field of each block, its sum, and the sums over the blocks."""
        for block, label in _BLOCKS.items():
            names = sorted(name for known, name in self.tallies if known == block)
            heads = ("expected", "raised", "needless", "precision", "recall")
            yield f"{label:<50}" + "".join(f"{head:>10}" for head in heads)
            for name in names:
                yield _line(f"    {name}", self.tallies[block, name])
            yield _line(f"  {label}, in total", self.total((block,)))
            yield ""
        yield _line("Conflicts about the industry", self.total((HELD, DISPUTE), "industry"))
        yield _line("Conflicts in total", self.total())
        yield from self._remarks()

    def _remarks(self) -> Iterator[str]:
        yield f"  {self.notes['empty']} wrong values say nothing (`Other`, `???`): they count as empty and are filled"
        contested, raised = self.notes["contested"], self.notes["contested, raised"]
        yield f"  {raised} of {contested} right values that a source contradicts raised one: neither good nor bad"
        yield f"  {self.notes['wording']} listed disagreements of the sources are of wording, or one left the fact out"
        if self.notes["unjudged"]:
            yield f"  {self.notes['unjudged']} pairs of labels are in no list of verdicts and are not counted"


def _asks_about(name: str, decision: Decision) -> bool:
    """Whether a person is asked about this field: of a unit's question, only about the parts that are disputed."""
    whole = None if decision.question is None else decision.question.whole
    return decision.reason is FieldOutcomeReason.CONFLICT and (whole is None or name in whole.disputed)


def wrong_fields(truth: Row) -> set[str] | None:
    """The fields that the truth says are wrong in the CRM; None where it has no such column."""
    if "wrong_fields" not in truth:
        return None
    wrong = json.loads(truth["wrong_fields"]) if truth["wrong_fields"] else {}
    return {COLUMNS[column] for column in wrong if column in COLUMNS}


def listed_disputes(truth: Row) -> set[str]:
    """The fields on which the texts of the data set's sources differ."""
    return {COLUMNS[column] for column in truth.get("conflict_fields", "").split(";") if column in COLUMNS}


def real_disputes(truth: Row) -> set[str]:
    """Of the listed fields, those about which the sources say more than another wording, as far as it was judged."""
    detail = json.loads(truth.get("conflict_detail") or "{}")
    real = set()
    for column in truth.get("conflict_fields", "").split(";"):
        name = COLUMNS.get(column)
        values = [value for _, value in detail.get(column, ())]
        if name and (not values or any(_verdict(name, values[0], other) != "same" for other in values[1:])):
            real.add(name)
    return real


@cache
def _verdicts() -> Mapping[tuple[str, str, str], str]:
    text = resources.files("service").joinpath("sample", "verdicts.csv").read_text("utf-8")
    return {
        (row["field"], words(row["one"]), words(row["other"])): row["verdict"]
        for row in csv.DictReader(io.StringIO(text))
    }


def _verdict(name: str, value: Any, other: Any) -> str | None:
    """Whether two values that the truth lists as different are: `same` or `different`; None if nobody judged."""
    if value is None or other is None or value == other:
        return "same"
    folded = words(str(value)), words(str(other))
    if folded[0] == folded[1]:
        return "same"
    verdicts = _verdicts()
    found = verdicts.get((name, *folded)) or verdicts.get((name, folded[1], folded[0]))
    return found or (None if name == "industry" else "different")


def _line(label: str, tally: ConflictTally) -> str:
    expected, raised = tally.raised + tally.missed, tally.raised + tally.needless
    shares = (f"{share:.1%}" if share is not None else "-" for share in (tally.precision, tally.recall))
    return f"{label:<50}" + "".join(f"{cell:>10}" for cell in (expected, raised, tally.needless, *shares))
