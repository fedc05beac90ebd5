"""Who gave a value, as a condition of a statement on field values."""

from enrichment.enums import HUMAN_SOURCES


def from_provider(column: str = "source") -> str:
    """The condition that a provider gave the value, rather than the CRM or a reviewer."""
    people = ", ".join(f"'{source}'" for source in sorted(HUMAN_SOURCES))
    return f"{column} NOT IN ({people})"
