"""The sample: messy accounts and leads as a CRM exports them, in the shape of `POST /records`.

The columns of the export become fields of the catalogue by the two tables below. Columns that the catalogue does
not know are kept under their own names, as any unknown field is. Empty cells are left out; everything else is
sent as it stands, broken or not.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from typing import Any

ACCOUNT_COLUMNS = {
    "account_name": "name",
    "website": "website",
    "phone": "phone",
    "city": "city",
    "country": "country",
    "industry": "industry",
    "employees": "numberOfEmployees",
    "founded": "foundedYear",
    "linkedin": "linkedinUrl",
    "owner": "owner",
    "source": "source",
    "created_at": "createdAt",
}
LEAD_COLUMNS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "full_name": "fullName",
    "title": "title",
    "email": "email",
    "phone": "phone",
    "company": "company",
    "website": "website",
    "country": "country",
    "lead_source": "leadSource",
    "created_at": "createdAt",
}


def sample_records() -> Iterator[dict[str, Any]]:
    """Every sample record: `entityType`, `externalId` and the raw `fields`."""
    folder = resources.files("service").joinpath("sample")
    for name, make in (("accounts.csv", account_records), ("leads.csv", lead_records)):
        rows = csv.DictReader(io.StringIO(folder.joinpath(name).read_text("utf-8"), newline=""))
        yield from make(rows)


def account_records(rows: Iterable[Mapping[str, str]]) -> Iterator[dict[str, Any]]:
    """Accounts from rows whose columns are those of `ACCOUNT_COLUMNS` and `record_id`."""
    for row in rows:
        yield {
            "entityType": "account",
            "externalId": row["record_id"],
            "fields": _fields(row, ACCOUNT_COLUMNS),
        }


def lead_records(rows: Iterable[Mapping[str, str]]) -> Iterator[dict[str, Any]]:
    """Leads from rows whose columns are those of `LEAD_COLUMNS` and `lead_id`."""
    for row in rows:
        yield {"entityType": "lead", "externalId": row["lead_id"], "fields": _fields(row, LEAD_COLUMNS)}


def _fields(row: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, str]:
    return {field: row[column] for column, field in columns.items() if row.get(column)}
