"""What an import says: before it starts, what each column becomes; at its end, what was left out and why."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from service.records.file import RecordFile

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_MOST_REASONS = 3  # of one field are shown


def reading(file: RecordFile) -> Iterator[str]:
    """How the file is read, and what its columns become. Raises UnreadableFile, OSError."""
    encoding = file.encoding
    guessed = " by its bytes (--encoding says another)" if encoding.guessed else ""
    if not file.is_table:
        yield f"Reading {file.name} as {_shown(encoding.name)}{guessed}, a record a line."
        return
    layout, mapped = file.layout, file.mapped
    separated = _SEPARATORS.get(layout.separator, repr(layout.separator))
    yield (
        f"Reading {file.name} as {_shown(encoding.name)}{guessed}, separated by {separated}, "
        f"header in line {layout.before + 1}."
    )
    named = {column: name for column, name in mapped.fields.items() if column not in mapped.others}
    columns = [column for column in mapped.names if column in named and column != mapped.id_column]
    pairs = [column if column == named[column] else f"{column} is {named[column]}" for column in columns]
    yield f"Columns: {', '.join([f'{mapped.id_column} is the id', *pairs])}."
    for column in mapped.of_moments:
        if mapped.date_order is None:
            yield (
                f"Dates of {column} such as 1/2/2026 may be of January or February and are kept as texts: "
                "--dates day-first or --dates month-first says which."
            )
        else:
            yield f"Dates of {column} such as 1/2/2026 have the {mapped.date_order.value.partition('-')[0]} first."
    if mapped.others:
        yield f"No fields of ours, kept as they are: {', '.join(mapped.others)}. --map COLUMN=FIELD names one."


def _shown(codec: str) -> str:
    return {"utf-8-sig": "UTF-8"}.get(codec, codec.upper() if codec.startswith("utf") else codec)


@dataclass(slots=True)
class LeftOut:
    """The cells that were not understood: how many, by field and reason."""

    cells: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, refused: Mapping[str, str]) -> None:
        """Count the fields of one record that were not understood, each with why."""
        for name, reason in refused.items():
            self.cells.setdefault(name, Counter())[reason] += 1

    def lines(self) -> Iterator[str]:
        """A line for each field, the one with most first."""
        for name, reasons in sorted(self.cells.items(), key=lambda pair: -pair[1].total()):
            shown = [f"{reason} ({count:,})" for reason, count in reasons.most_common(_MOST_REASONS)]
            more = f", and {len(reasons) - _MOST_REASONS:,} more reasons" if len(reasons) > _MOST_REASONS else ""
            yield f"{name}: {reasons.total():,} not understood, kept as sent: {'; '.join(shown)}{more}"
