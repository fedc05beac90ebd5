"""How well the built-in providers and rules do on records whose right answers are known (`make score`)."""

import asyncio
import csv
import gzip
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import typer

from enrichment.catalogue import is_equivalent
from enrichment.config import Config, default_config
from enrichment.enums import EntityType
from enrichment.normalize.contact.email import email_kind
from enrichment.normalize.places.country import country_name
from providers.registry import ProviderSettings, Registry, declared_providers, default_registry
from service.sample.records import account_records, lead_records
from service.score.calibration import Calibration
from service.score.conflicts import ConflictScore
from service.score.known_records import Known, OnceLearned, note_known
from service.score.recommendations import SCORED_ON, RecommendationScore, score_worlds
from service.score.spending import SpendingScore, score_spending
from service.score.trial import Outcome, try_record

Row = Mapping[str, str]
Show = Callable[[str], None]
Counts = Counter[tuple[str, ...]]

MATCHABLE = ("match", "duplicate")
# Records that mean no company of the directories, and how many of them the plain method matches all the same. That
# method, named by the published data set, takes the domain, else the name that is at least 90 alike.
NOBODY = {"ambiguous": ("ambiguous", "9 of 15"), "no_match": ("invented", "0 of 55"), "junk": ("junk", "")}
NEEDED = {
    "accounts_truth": ("kind", "true_domain"),
    "leads_truth": ("company_domain", "email_kind"),
}
ACCOUNT_ANSWERS = {
    "name": ("canonical_name",),
    "domain": ("true_domain",),
    "industry": ("true_industry",),
    "numberOfEmployees": ("true_employees", "true_employee_range"),
    "foundedYear": ("true_founded",),
    "city": ("true_city",),
    "country": ("true_country_code",),
}
LEAD_ANSWERS = {
    "firstName": ("first_name",),
    "lastName": ("last_name",),
    "company": ("company_name",),
    "companyDomain": ("company_domain",),
    "seniorityLevel": ("seniority",),
    "department": ("department",),
}


def main(
    accounts: Path | None = None,
    accounts_truth: Path | None = None,
    leads: Path | None = None,
    leads_truth: Path | None = None,
    out: Show = typer.echo,
    *,
    misses: bool = False,
    worlds: range = SCORED_ON,
) -> int:
    """Score the product and print a table. Without files, the packaged records with known answers are used.

    Files are CSV (also gzipped) with the columns of the packaged ones; accounts and leads each take a file and
    its truth. `misses` lists each conflict that was missed or needless; `worlds` are the seeds of the drawn worlds.
    Returns the exit code: 2 for files that cannot be scored.
    """
    registry = default_registry(ProviderSettings())
    config = default_config(registry.ids())
    try:
        account_pairs = _pairs(accounts, "accounts_input", accounts_truth, "accounts_truth", "record_id")
        lead_pairs = _pairs(leads, "leads_input", leads_truth, "leads_truth", "lead_id")
    except (OSError, ValueError) as fault:
        out(f"Cannot be scored: {fault}")
        return 2
    scores, wrongly_filled = Scores(recommendations=deepcopy(_scored_worlds(worlds))), list[str]()
    conflicts = scores.conflicts
    asyncio.run(_score(registry, config, account_pairs, lead_pairs, scores, wrongly_filled))
    tables = (
        _table(scores.counts),
        conflicts.lines(),
        scores.calibration.lines(),
        scores.recommendations.lines(),
        _scored_spending(worlds[:2]).lines(),
    )
    for line in "\n\n".join("\n".join(table) for table in tables).split("\n"):
        out(line)
    if misses:
        for line in ("", f"{len(conflicts.faults)} conflicts were missed or needless", *sorted(conflicts.faults)):
            out(line)
        for line in ("", f"{len(wrongly_filled)} empty fields were filled wrongly", *sorted(wrongly_filled)):
            out(line)
    return 0


@cache
def _scored_worlds(seeds: range) -> RecommendationScore:
    """The score in drawn worlds, which are the same whatever files are scored."""
    score = RecommendationScore()
    score_worlds(score, seeds)
    return score


@cache
def _scored_spending(seeds: range) -> SpendingScore:
    """What the paid providers would cost in drawn worlds, which are the same whatever files are scored."""
    infos = [declaration.info for declaration in declared_providers()]
    return score_spending(infos, default_config(info.id for info in infos), seeds)


@dataclass(frozen=True, slots=True)
class Scores:
    """What is counted."""

    counts: Counts = field(default_factory=Counter)
    conflicts: ConflictScore = field(default_factory=ConflictScore)
    calibration: Calibration = field(default_factory=Calibration)
    recommendations: RecommendationScore = field(default_factory=RecommendationScore)


async def _score(
    registry: Registry,
    config: Config,
    accounts: list[tuple[Row, Row]],
    leads: list[tuple[Row, Row]],
    scores: Scores,
    wrongly_filled: list[str],
) -> None:
    counts, conflicts, calibration = scores.counts, scores.conflicts, scores.calibration
    learned = OnceLearned()
    for (row, truth), record in zip(accounts, account_records(row for row, _ in accounts), strict=True):
        outcome = await try_record(registry, config, EntityType.ACCOUNT, record["fields"])
        _count_match(counts, outcome, truth)
        if truth["kind"] in MATCHABLE:
            answers = answers_of(truth, ACCOUNT_ANSWERS)
            wrongly_filled += _count_filling(counts, row["record_id"], outcome, answers)
            _calibrate(calibration, outcome, answers)
            conflicts.held(row["record_id"], outcome, truth, answers)
            note_known(scores.recommendations, row["record_id"], outcome, truth, answers)
            learned.add(row["record_id"], Known(outcome, truth, answers))
            alone = await try_record(registry, config, EntityType.ACCOUNT, record["fields"], blank=True)
            conflicts.disputed(row["record_id"], alone, truth)
    for (row, truth), record in zip(leads, lead_records(row for row, _ in leads), strict=True):
        outcome = await try_record(registry, config, EntityType.LEAD, record["fields"])
        answers = answers_of(truth, LEAD_ANSWERS)
        _count_employer(counts, outcome, truth)
        wrongly_filled += _count_filling(counts, row["lead_id"], outcome, answers)
        _calibrate(calibration, outcome, answers)
        conflicts.held(row["lead_id"], outcome, truth, answers)
        note_known(scores.recommendations, row["lead_id"], outcome, truth, answers)
        learned.add(row["lead_id"], Known(outcome, truth, answers))
        if row.get("email"):
            kind = email_kind(row["email"].strip()).value
            counts["mail", "right" if kind == truth["email_kind"] else "wrong"] += 1
    learned.note(scores.recommendations)


def _pairs(path: Path | None, packed: str, truth: Path | None, packed_truth: str, key: str) -> list[tuple[Row, Row]]:
    answers = {row[key]: row for row in _rows(truth, packed_truth, {key, *NEEDED[packed_truth]})}
    return [(row, answers[row[key]]) for row in _rows(path, packed, {key}) if row[key] in answers]


def packaged_pairs(entity_type: EntityType) -> list[tuple[Row, Row]]:
    """The packaged records of a type with known answers, each with its truth."""
    if entity_type is EntityType.ACCOUNT:
        return _pairs(None, "accounts_input", None, "accounts_truth", "record_id")
    return _pairs(None, "leads_input", None, "leads_truth", "lead_id")


def _rows(path: Path | None, packed: str, needed: set[str]) -> list[Row]:
    """The rows of a file, or of the packaged one of that name. Raises ValueError where a column is missing."""
    if path is None:
        data = resources.files("service").joinpath("sample", f"{packed}.csv.gz").read_bytes()
    else:
        data = path.read_bytes()
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8-sig")
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = needed.difference(reader.fieldnames or ())
    if missing:
        raise ValueError(f"{path or packed} has no column {', '.join(sorted(missing))}")
    return list(reader)


def _count_match(counts: Counts, outcome: Outcome, truth: Row) -> None:
    domain = outcome.found("directory", "domain") or outcome.found("directory_archive", "domain")
    kind = "match" if truth["kind"] in MATCHABLE else truth["kind"]
    if domain is None:
        counts[kind, "none"] += 1
    else:
        counts[kind, "right" if domain == truth["true_domain"] else "wrong"] += 1


def _count_employer(counts: Counts, outcome: Outcome, truth: Row) -> None:
    domain = outcome.found("directory", "companyDomain") or outcome.found("directory_archive", "companyDomain")
    if domain is None:
        nameless = not outcome.cleaned.values.keys() & {"company", "companyDomain", "website"}
        counts["employer", "silent" if nameless else "none"] += 1
    else:
        counts["employer", "right" if domain == truth["company_domain"] else "wrong"] += 1


def answers_of(truth: Row, columns: Mapping[str, Iterable[str]]) -> dict[str, list[Any]]:
    """The values that count as right, by field; none where the truth is not known."""
    return {field: found for field, names in columns.items() if (found := _answer(truth, names, field))}


def _answer(truth: Row, columns: Iterable[str], field: str) -> list[Any]:
    found: list[Any] = [truth[column] for column in columns if truth.get(column)]
    if field in {"foundedYear", "numberOfEmployees"}:
        return [int(value) if value.isdigit() else value for value in found]
    return [country_name(value) for value in found] if field == "country" else found


def _count_filling(counts: Counts, record_id: str, outcome: Outcome, answers: Mapping[str, list[Any]]) -> Iterator[str]:
    """Count by field what was written into empty fields, and yield a line for each value that is wrong."""
    for name, right in answers.items():
        if outcome.cleaned.values.get(name) is not None:
            continue
        value = outcome.after.get(name)
        is_right = value is not None and any(
            is_equivalent(outcome.entity_type, name, value, answer) for answer in right
        )
        counts["filled", outcome.entity_type, name, "left" if value is None else "right" if is_right else "wrong"] += 1
        if value is not None and not is_right:
            source = outcome.decisions[name].provider
            yield f"filled wrongly  {name}  {record_id}  {value!r} by {source}, where {right[0]!r} is right"


def _calibrate(calibration: Calibration, outcome: Outcome, answers: Mapping[str, list[Any]]) -> None:
    """Count each value that a source gave for a field whose right answer is known."""
    for answer in outcome.answers.values():
        for finding in answer.findings:
            if right := answers.get(finding.field):
                equal = (is_equivalent(outcome.entity_type, finding.field, finding.value, known) for known in right)
                calibration.add(finding.confidence, right=any(equal))


def _table(counts: Counts) -> Iterator[str]:
    yield from _recognized(counts)
    yield ""
    yield from _values(counts)


def _recognized(counts: Counts) -> Iterator[str]:
    accounts = sum(counts["match", end] for end in ("right", "wrong", "none"))
    yield f"{'Accounts':<36}{'ours':>22}{'plain baseline':>22}"
    yield f"{'  recognized rightly':<36}{_share(counts['match', 'right'], accounts):>22}{_share(867, 910):>22}"
    yield f"{'  recognized as another company':<36}{_share(counts['match', 'wrong'], accounts):>22}{_share(6, 910):>22}"
    yield f"{'  missed':<36}{_share(counts['match', 'none'], accounts):>22}{_share(37, 910):>22}"
    for kind, (label, baseline) in NOBODY.items():
        matched = counts[kind, "right"] + counts[kind, "wrong"]
        ours = f"{matched} of {matched + counts[kind, 'none']}"
        yield f"  {label + ', yet matched':<34}{ours:>22}{baseline:>22}"
    leads = sum(counts["employer", end] for end in ("right", "wrong", "none"))
    yield "Leads that name an employer"
    for end, label in (("right", "recognized rightly"), ("wrong", "recognized as another company"), ("none", "missed")):
        yield f"  {label:<34}{_share(counts['employer', end], leads):>22}"
    mails = counts["mail", "right"] + counts["mail", "wrong"]
    yield f"{'Kind of e-mail address right':<36}{_share(counts['mail', 'right'], mails):>22}"


def _values(counts: Counts) -> Iterator[str]:
    yield f"{'Empty fields':<36}{'filled rightly':>16}{'filled wrongly':>16}{'left empty':>12}"
    for entity_type, columns in ((EntityType.ACCOUNT, ACCOUNT_ANSWERS), (EntityType.LEAD, LEAD_ANSWERS)):
        for name in columns:
            right, wrong, left = (counts["filled", entity_type, name, end] for end in ("right", "wrong", "left"))
            yield f"{f'  {entity_type.value} {name}':<36}{right:>16}{wrong:>16}{left:>12}"


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "-"
