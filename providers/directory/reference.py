"""Reference companies: the packed data of the package, and how far each source is to be believed."""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

from enrichment.normalize.places.city import city_key
from enrichment.normalize.places.country import country_code


@dataclass(frozen=True, slots=True)
class ReferenceSource:
    """Where facts come from. `as_of`: when they were true, as far as the source says."""

    name: str
    as_of: datetime | None
    reliability: Mapping[str, float] = field(default_factory=dict)  # confidence (0-1) in a field's value
    default: float = 0.9


def _on(year: int, month: int = 1, day: int = 1) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


# Listings abroad are as frequent among the symbols as those at home, see `_symbol_reliability`.
_LISTED = {"industry": 0.97, "foundedYear": 0.98, "stockSymbol": 0.85, "postalCode": 0.9, "state": 0.9}

SOURCES = {
    # Its names date it: ViacomCBS and Anthem, renamed in 2022, Meta and no longer Facebook.
    "financedatabase": ReferenceSource("FinanceDatabase", _on(2022), _LISTED, 0.99),
    # Undated. Addresses for requests about personal data: now and then a branch or a data protection office.
    "datenanfragen": ReferenceSource(
        "datenanfragen.de", _on(2023), {"industry": 0.97, "phone": 0.8, "street": 0.85, "tags": 0.75}, 0.99
    ),
    "remoteintech": ReferenceSource("remoteintech", _on(2022), {"numberOfEmployees": 0.9, "techStack": 0.7}, 0.98),
    "elixir_companies": ReferenceSource(
        "elixir-companies", _on(2022), {"industry": 0.9, "tags": 0.7, "techStack": 0.8}, 0.98
    ),
    "sp500_wikipedia": ReferenceSource(
        "S&P 500 constituents",
        _on(2026, 8),
        {"city": 0.88, "foundedYear": 0.8, "stockSymbol": 0.95, "industry": 0.8},
        0.96,
    ),
    # Somewhere between 2012 and 2017: head counts of then, and industries as an encyclopedia words them.
    "wikipedia_yago3": ReferenceSource(
        "YAGO3/Wikipedia", _on(2015), {"numberOfEmployees": 0.5, "industry": 0.78, "country": 0.95}, 0.95
    ),
}

_HOME_LISTINGS = {
    "AE": "AE DU", "AR": "BA", "AT": "VI", "AU": "AX", "BE": "BR", "BR": "SA", "CA": "TO V CN NE", "CH": "SW",
    "CL": "SN", "CN": "SS SZ HK", "DE": "DE F", "DK": "CO", "ES": "MC", "FI": "HE", "FR": "PA", "GB": "L IL",
    "GR": "AT", "HK": "HK", "HU": "BD", "ID": "JK", "IE": "IR L", "IL": "TA", "IN": "NS BO", "IS": "IC", "IT": "MI",
    "JP": "T", "KR": "KS KQ", "MX": "MX", "NL": "AS", "NO": "OL", "NZ": "NZ", "PT": "LS", "RU": "ME", "SA": "SR",
    "SE": "ST", "SG": "SI", "TH": "BK", "TR": "IS", "TW": "TW TWO", "ZA": "JO",
}  # fmt: skip
_FOREIGN_LISTING = 0.4


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of one field of a company, with the confidence (0-1) in it and when it was true."""

    field: str
    value: Any
    reliability: float
    observed_at: datetime | None


@dataclass(frozen=True, slots=True, eq=False)
class Company:
    """One company: what it is called, where it is, and what is known of it.

    `names` are its name and what others call it today; `aliases` former names and brands. `sources` and
    `values` run beside `fields`.
    """

    domain: str
    names: tuple[str, ...]
    aliases: tuple[str, ...]
    fields: Sequence[str]
    sources: Sequence[ReferenceSource]
    values: Sequence[Any]
    observed_at: datetime | None = None  # of a source that dates its rows

    @property
    def country(self) -> str | None:
        """Its ISO 3166-1 code."""
        name = self.value("country")
        return country_code(name) if name else None

    @property
    def city(self) -> str | None:
        """What the spellings of its city share."""
        name = self.value("city")
        return city_key(name) if name else None

    def value(self, name: str) -> Any:
        """The value of a field, or None."""
        return self.values[self.fields.index(name)] if name in self.fields else None

    def facts(self) -> Iterator[Fact]:
        """All that is known of it, field by field."""
        for name, source, value in zip(self.fields, self.sources, self.values, strict=True):
            reliability = source.reliability.get(name, source.default)
            if name == "stockSymbol" and self._is_listed_abroad(value):
                reliability = _FOREIGN_LISTING
            yield Fact(name, value, reliability, self.observed_at or source.as_of)

    def _is_listed_abroad(self, symbol: str) -> bool:
        _, dot, exchange = symbol.rpartition(".")
        return (
            bool(dot)
            and (len(exchange) != 1 or symbol[0].isdigit())
            and exchange not in _HOME_LISTINGS.get(self.country or "", "").split()
        )


def unpack(lines: Iterator[str]) -> Iterator[Company]:
    """The companies of a packed file, see `tools/pack_directory.py` for its form."""
    layouts = [
        ([name for name, _ in layout], [SOURCES[source] for _, source in layout])
        for layout in json.loads(next(lines))["layouts"]
    ]
    for line in lines:
        row = json.loads(line)
        others = row.get("a", {})
        fields, sources = layouts[row["l"]]
        yield Company(
            domain=row["d"],
            names=(row["n"], *others.get("known", ())),
            aliases=(*others.get("former", ()), *others.get("brand", ())),
            fields=fields,
            sources=sources,
            values=(row["n"], *row.get("v", ())),
            observed_at=datetime.fromisoformat(row["t"]).replace(tzinfo=UTC) if "t" in row else None,
        )


@cache
def packaged(name: str) -> tuple[Company, ...]:
    """The companies of a directory that the package ships: `directory` or `directory_archive`."""
    data = resources.files("providers").joinpath("data", f"{name}.jsonl.gz").read_bytes()
    return tuple(unpack(iter(gzip.decompress(data).decode().splitlines())))
