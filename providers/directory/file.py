"""A directory of an operator's own: companies read from a CSV or JSON lines file.

Columns are named as the account fields of the catalogue (`name`, `domain`, `numberOfEmployees` ...) or as in
the published data sets (`employees`, `founded`, `postal_code` ...); others are passed over. A row needs a name or
a domain. `as_of` (or `updated`) says when a row was true.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from enrichment.catalogue import Refused, fields_of, normalize
from enrichment.enums import EntityType
from enrichment.normalize.contact.url import registrable_domain
from providers.directory.reference import Company, ReferenceSource

MOST_FAULTS_SHOWN = 5
OWN_FILE = ReferenceSource("the operator's file", None, default=0.95)

_OTHER_COLUMNS = {
    "company": "name",
    "companyname": "name",
    "accountname": "name",
    "companydomain": "domain",
    "url": "website",
    "subindustry": "subIndustry",
    "employees": "numberOfEmployees",
    "employeerange": "numberOfEmployees",
    "revenue": "annualRevenue",
    "founded": "foundedYear",
    "address": "street",
    "zip": "postalCode",
    "ticker": "stockSymbol",
    "technologies": "techStack",
    "linkedin": "linkedinUrl",
    "twitter": "twitterUrl",
    "facebook": "facebookUrl",
    "logo": "logoUrl",
    "parent": "parentCompany",
    "formername": "formerName",
    "formernames": "formerName",
    "brands": "brands",
    "aliases": "brands",
    "asof": "asOf",
    "updated": "asOf",
    "updatedat": "asOf",
    "observedat": "asOf",
}
_COLUMNS = _OTHER_COLUMNS | {name.lower(): name for name in fields_of(EntityType.ACCOUNT)}
_NOT_FACTS = {"formerName", "brands", "asOf"}


class DirectoryFileError(ValueError):
    """A directory file that cannot be used. The message names the file, the line and the fault."""


class _Fault(ValueError):
    """What is wrong with one row."""


def read_companies(path: Path) -> tuple[Company, ...]:
    """The companies of a file; a domain that comes again adds what was missing. Raises DirectoryFileError."""
    companies: list[Company] = []
    index_of: dict[str, int] = {}
    faults: list[str] = []
    for line, row in _rows(path):
        try:
            company = _company(row)
        except (_Fault, Refused) as fault:
            faults.append(f"line {line}: {fault}")
            continue
        if company.domain in index_of:
            companies[index_of[company.domain]] = _joined(companies[index_of[company.domain]], company)
            continue
        if company.domain:
            index_of[company.domain] = len(companies)
        companies.append(company)
    if faults:
        more = f"; and {len(faults) - MOST_FAULTS_SHOWN} more" if len(faults) > MOST_FAULTS_SHOWN else ""
        raise DirectoryFileError(f"{path}: {'; '.join(faults[:MOST_FAULTS_SHOWN])}{more}")
    if not companies:
        raise DirectoryFileError(f"{path}: no companies in it")
    return tuple(companies)


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    readers = {".csv": _csv_rows, ".tsv": _csv_rows, ".jsonl": _json_rows, ".ndjson": _json_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DirectoryFileError(f"{path}: neither CSV (.csv, .tsv) nor JSON lines (.jsonl, .ndjson)")
    try:
        yield from reader(path)
    except OSError as error:
        raise DirectoryFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DirectoryFileError(f"{path}: not UTF-8 text (byte {error.start})") from error


def _csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        delimiter = max("\t;,", key=header.count)
        names = next(csv.reader([header], delimiter=delimiter), [])
        if not {_column(name) for name in names} & {"name", "domain", "website"}:
            raise DirectoryFileError(f"{path}: line 1: no column called name, domain or website")
        reader = csv.reader(file, delimiter=delimiter)
        try:
            for cells in reader:
                if len(cells) > len(names):
                    raise DirectoryFileError(
                        f"{path}: line {reader.line_num + 1}: {len(cells)} cells under {len(names)} columns"
                    )
                if any(cell.strip() for cell in cells):
                    yield reader.line_num + 1, dict(zip(names, cells, strict=False))
        except csv.Error as error:
            raise DirectoryFileError(f"{path}: line {reader.line_num + 1}: {error}") from error


def _json_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise DirectoryFileError(f"{path}: line {number}: not JSON: {error}") from error
            if not isinstance(row, dict):
                raise DirectoryFileError(f"{path}: line {number}: not an object")
            yield number, row


def _column(name: str) -> str | None:
    return _COLUMNS.get("".join(char for char in name.lower() if char.isalnum()))


def _company(row: Mapping[str, Any]) -> Company:
    raw: dict[str, Any] = {}
    for name, value in row.items():
        column = _column(name)
        if column and value not in (None, ""):
            raw.setdefault(column, value)
    values = _canonical(raw)
    domain = values.pop("domain", None) or registrable_domain(values.get("website", "")) or ""
    name = values.pop("name", "")
    if not name and not domain:
        raise _Fault("neither a name nor a domain")
    facts = ({"name": name} if name else {}) | values
    return Company(
        domain=domain,
        names=(name,) if name else (),
        aliases=(*_texts(raw, "formerName"), *_texts(raw, "brands")),
        fields=tuple(facts),
        sources=(OWN_FILE,) * len(facts),
        values=tuple(facts.values()),
        observed_at=_as_of(raw.get("asOf")),
    )


def _canonical(raw: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in sorted(raw.keys() - _NOT_FACTS, key=lambda name: (name != "country", name)):
        try:
            value = normalize(EntityType.ACCOUNT, name, raw[name], hints=values)
        except Refused as refusal:
            raise _Fault(f"{name} {str(raw[name])[:60]!r}: {refusal}") from refusal
        if value is not None:
            values[name] = value
    return values


def _texts(raw: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = raw.get(name, ())
    items = value.split(";") if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise _Fault(f"{name}: neither text nor a list of texts")
    return tuple(item.strip() for item in items if item.strip())


def _as_of(value: Any) -> datetime | None:
    """A date, a month, a year or a span of years, whose middle counts."""
    if value is None:
        return None
    text = str(value).strip()
    first, dash, last = text.partition("-")
    try:
        if dash and len(last) == 4 and last.isdigit():
            return datetime((int(first) + int(last)) // 2, 7, 1, tzinfo=UTC)
        if text.isdigit():
            return datetime(int(text), 7, 1, tzinfo=UTC)
        moment = datetime.fromisoformat(f"{text}-01" if len(text) == 7 else text)
    except ValueError:
        raise _Fault(f"as_of {text[:40]!r}: not a date") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _joined(first: Company, second: Company) -> Company:
    """The first company with what only the second row says."""
    new = [index for index, name in enumerate(second.fields) if name not in first.fields]
    return Company(
        domain=first.domain,
        names=tuple(dict.fromkeys((*first.names, *second.names))),
        aliases=tuple(dict.fromkeys((*first.aliases, *second.aliases))),
        fields=(*first.fields, *(second.fields[index] for index in new)),
        sources=(*first.sources, *(second.sources[index] for index in new)),
        values=(*first.values, *(second.values[index] for index in new)),
        observed_at=first.observed_at or second.observed_at,
    )
