"""Pack the reference data into the compact files that the package ships.

    python tools/pack_directory.py <folder with companies.jsonl and companies_b.jsonl> [<target folder>]

Keeps facts only, in canonical form, and names the source of each. The same input gives the same bytes.
Each packed file is gzipped JSON lines: a header with the `layouts` in use (a layout is a list of
[field, source]), then one company a line: `d` domain, `n` name, `a` other names by kind, `l` the number of
its layout, `v` its values in the order of the layout, `t` the date of a source that dates its rows.
"""

import gzip
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from enrichment.catalogue import Refused, normalize, says_nothing
from enrichment.enums import EntityType
from enrichment.normalize.names.company_name import core_name

Row = dict[str, Any]

# Column of the data -> field of an account. A later column fills in where an earlier one is missing.
FIELDS = {
    "industry": "industry",
    "sub_industry": "subIndustry",
    "employees": "numberOfEmployees",
    "employee_range": "numberOfEmployees",
    "founded": "foundedYear",
    "country": "country",
    "address": "street",
    "city": "city",
    "state": "state",
    "postal_code": "postalCode",
    "phone": "phone",
    "ticker": "stockSymbol",
    "technologies": "techStack",
    "tags": "tags",
}
# Of two rows for one domain, the later name in this list is believed first.
SOURCES_OF_ARCHIVE = ("wikipedia_yago3", "sp500_wikipedia")

# Which class or receipt of a share was listed says nothing of the company's name.
_SHARE_CLASS = re.compile(
    r"\s+(?:(?:un)?sponsored\s+)?(?:(?:adr|gdr|ads)(?:\s+regs)?(?:\s+pfd)?(?:\s+class\s+[a-z])?|class\s+[a-z]"
    r"|common shares?|depositary receipts?|series [a-z] .*preferred stock)$",
    re.IGNORECASE,
)
_ARTICLE_BEHIND = re.compile(r"^(.*\S)\s*[,(]\s*the\s*\)?$", re.IGNORECASE)
_STREET_AS_CITY = re.compile(r"\b(?:pkwy|parkway|street|road|ave\.?|avenue|blvd|boulevard)(?:\s|$)", re.IGNORECASE)
_DUTCH_LETTERS_BEFORE_CITY = re.compile(r"^([A-Z]{2}) (?=[A-Z'])")
_SMALLEST_BOUND = 500
_TWO_STATES = re.compile(r" and | & ")


def clean_name(name: str) -> str:
    """The name without the class of a share, and with its article in front."""
    name = _SHARE_CLASS.sub("", name).strip(" ,")
    behind = _ARTICLE_BEHIND.match(name)
    return str(normalize(EntityType.ACCOUNT, "name", f"The {behind[1]}" if behind else name) or name)


def _repaired(row: Row) -> Row:
    """The row without the slips that its source is known for."""
    row = dict(row)
    city = str(row.get("city", ""))
    if row.get("country_code") != "VG" and _STREET_AS_CITY.search(city):  # Road Town is a town
        del row["city"]
    letters = _DUTCH_LETTERS_BEFORE_CITY.match(city) if row.get("country_code") == "NL" else None
    if letters:
        row["city"] = city[letters.end() :]
        if re.fullmatch(r"\d{4}", str(row.get("postal_code", ""))):
            row["postal_code"] = f"{row['postal_code']} {letters[1]}"
    if row.get("employees", 0) > _SMALLEST_BOUND and str(row.get("employee_range")).startswith(f"{row['employees']}"):
        del row["employees"]  # 10001 is the range 10001+, not a count
    if _TWO_STATES.search(str(row.get("state", ""))):
        del row["state"]
    return row


def _values(row: Row) -> dict[str, Any]:
    """The canonical account fields of a row, without what the catalogue refuses and what says nothing."""
    values: dict[str, Any] = {}
    for column in sorted(FIELDS, key=lambda column: column != "country"):  # others are read with the country
        field = FIELDS[column]
        if column not in row or field in values:
            continue
        try:
            value = normalize(EntityType.ACCOUNT, field, row[column], hints=values)
        except Refused:
            continue
        if value is not None and not says_nothing(EntityType.ACCOUNT, field, value):
            values[field] = value
    return values


def _other_names(name: str, groups: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Other names by kind, each once, without those that differ from `name` in nothing that counts."""
    seen = {name.casefold()}
    found: dict[str, list[str]] = {}
    for kind, names in groups.items():
        for other in names:
            if other and core_name(other) and other.casefold() not in seen:
                seen.add(other.casefold())
                found.setdefault(kind, []).append(other)
    return found


def _companies_of_a(rows: Iterable[Row], known_as: Mapping[str, list[str]]) -> Iterator[Row]:
    for raw in rows:
        row = _repaired(raw)
        sources = row["sources"]
        values = _values(row)
        source_of = {FIELDS[column]: sources[column] for column in reversed(FIELDS) if column in sources}
        name = clean_name(row["name"])
        names = {
            "known": [row["name"], *known_as.get(row["domain"], [])],
            "former": [row["former_name"]] if "former_name" in row else [],
            "brand": row.get("brands", []),
        }
        company = {"d": row["domain"], "n": name, "s": sources["name"], "a": _other_names(name, names)}
        yield {
            **company,
            "f": {field: (source_of[field], value) for field, value in values.items()},
            "t": row.get("updated"),
        }


def _companies_of_b(rows: Iterable[Row], known_as: Mapping[str, list[str]]) -> Iterator[Row]:
    by_domain: dict[str, list[Row]] = {}
    for row in rows:
        by_domain.setdefault(row["domain"], []).append(row)
    for domain, group in by_domain.items():
        group.sort(key=lambda row: SOURCES_OF_ARCHIVE.index(row["source"]))
        facts: dict[str, tuple[str, Any]] = {}
        for raw in group:
            row = _repaired(raw)
            if row["source"] == "sp500_wikipedia":
                row["sub_industry"] = row.get("industry")  # its label is the finest level of the GICS
            facts |= {field: (row["source"], value) for field, value in _values(row).items()}
        best = group[-1]
        names = {"known": [*(row["name"] for row in group), *known_as.get(domain, [])]}
        name = clean_name(best["name"])
        yield {"d": domain, "n": name, "s": best["source"], "a": _other_names(name, names), "f": facts, "t": None}


def _packed(companies: Iterable[Row]) -> Iterator[str]:
    layouts: dict[tuple[tuple[str, str], ...], int] = {}
    lines = []
    for company in sorted(companies, key=lambda company: str(company["d"])):
        facts = {"name": (company["s"], None), **dict(sorted(company["f"].items()))}
        layout = tuple((field, source) for field, (source, _) in facts.items())
        number = layouts.setdefault(layout, len(layouts))
        line = {"d": company["d"], "n": company["n"], "a": company["a"], "l": number, "t": company["t"]}
        line["v"] = [value for _, value in facts.values()][1:]  # the name is in `n`
        lines.append({key: value for key, value in line.items() if value not in (None, {}, [])})
    for item in ({"layouts": list(layouts)}, *lines):
        yield json.dumps(item, ensure_ascii=False, separators=(",", ":"))


def write(companies: Iterable[Row], target: Path) -> int:
    """Write one packed file and return its size in bytes."""
    text = "\n".join(_packed(companies)) + "\n"
    data = gzip.compress(text.encode(), compresslevel=9, mtime=0)
    target.write_bytes(data)
    return len(data)


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _names_by_domain(rows: Iterable[Row]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for row in rows:
        names.setdefault(row["domain"], []).append(row["name"])
    return names


def main(source: Path, target: Path) -> None:
    a, b = _rows(source / "companies.jsonl"), _rows(source / "companies_b.jsonl")
    # What either calls a company helps to recognize it; the facts of the two stay apart.
    sizes = {
        "directory.jsonl.gz": _companies_of_a(a, _names_by_domain(b)),
        "directory_archive.jsonl.gz": _companies_of_b(b, _names_by_domain(a)),
    }
    for name, companies in sizes.items():
        sys.stdout.write(f"{name}: {write(companies, target / name):,} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "providers/data"))
