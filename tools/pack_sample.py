"""Choose the sample records, and pack the whole inputs with their known answers for `make score`.

    python tools/pack_sample.py <folder with accounts_input.csv, accounts_truth.csv, leads_...> [<target folder>]

The sample shows every kind of record and every kind of mess a few times; the choice is the same every time.
"""

import csv
import gzip
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

Row = Mapping[str, str]

ACCOUNTS, LEADS = 250, 150
OF_A_KIND = {"ambiguous": 15, "junk": 20, "no_match": 25}
INPUTS = ("accounts_input", "accounts_truth", "leads_input", "leads_truth")


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _most_telling(rows: Iterable[Row], mess_of: Callable[[Row], list[str]], count: int) -> set[str]:
    """The ids of `count` rows so that every kind of mess is shown about as often as it can be."""
    shown: Counter[str] = Counter()
    left = {next(iter(row.values())): sorted(set(mess_of(row))) for row in rows}
    chosen: set[str] = set()
    while left and len(chosen) < count:
        # The row whose mess has been shown least so far; ids decide between equals.
        row_id = max(left, key=lambda row_id: (sum(1 / (1 + shown[mess]) for mess in left[row_id]), row_id))
        shown.update(left.pop(row_id))
        chosen.add(row_id)
    return chosen


def _mess_of_account(row: Row) -> list[str]:
    wrong = [f"conflict:{field}" for field in row["conflict_fields"].split(";") if field]
    return [*row["mutations"].split(";"), *wrong, row["kind"]]


def _mess_of_lead(row: Row) -> list[str]:
    missing = [f"missing:{field}" for field in row["missing_fields"].split(";") if field]
    return [*row["mutations"].split(";"), *missing, row["email_kind"], f"{row['seniority']} in {row['department']}"]


def choose_accounts(truth: Iterable[Row]) -> set[str]:
    """The ids of the sample's accounts. A duplicate brings the account that it repeats."""
    rows = list(truth)
    chosen: set[str] = set()
    for kind, count in OF_A_KIND.items():
        chosen |= {row["record_id"] for row in [row for row in rows if row["kind"] == kind][:count]}
    real = [row for row in rows if row["kind"] in {"match", "duplicate"}]
    chosen |= _most_telling(real, _mess_of_account, ACCOUNTS - len(chosen))
    return chosen | {row["duplicate_of"] for row in real if row["record_id"] in chosen and row["duplicate_of"]}


def choose_leads(inputs: Iterable[Row], truth: Iterable[Row]) -> set[str]:
    """The ids of the sample's leads."""
    answers = {row["lead_id"]: row for row in truth}
    return _most_telling([{**answers[row["lead_id"]], **row} for row in inputs], _mess_of_lead, LEADS)


def _write(rows: Iterable[Row], target: Path) -> None:
    kept = list(rows)
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(kept[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)
    sys.stdout.write(f"{target.name}: {len(kept)} records, {target.stat().st_size:,} bytes\n")


def main(source: Path, target: Path) -> None:
    accounts, account_truth, leads, lead_truth = (read(source / f"{name}.csv") for name in INPUTS)
    chosen = choose_accounts(account_truth) | choose_leads(leads, lead_truth)
    _write((row for row in accounts if row["record_id"] in chosen), target / "accounts.csv")
    _write((row for row in leads if row["lead_id"] in chosen), target / "leads.csv")
    for name in INPUTS:
        data = gzip.compress((source / f"{name}.csv").read_bytes(), compresslevel=9, mtime=0)
        (target / f"{name}.csv.gz").write_bytes(data)
        sys.stdout.write(f"{name}.csv.gz: {len(data):,} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "service/sample"))
