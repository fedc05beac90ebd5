"""`auto-enrichment export`: writes an organization's records out, newest first, of any number."""

import csv
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TextIO

import orjson
import typer

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from models.db.acting import act_for
from resolvers.context import Caller, Context, Role
from resolvers.errors import OperationError
from service.cli.common import BAD_USE, Stop, fail, read_settings, run
from service.cli.progress import progress
from service.cli.target import find_target
from service.records.formula import guarded
from service.records.own_export import ABOUT, OTHER_FIELDS, UNREADABLE
from service.records.readers import read_from_api, read_from_database
from service.records.senders import CannotSend, api_client
from service.runtime import Runtime
from service.settings import TOKEN_VARIABLE, Settings

REPORT_EVERY = 100

Write = Callable[[Mapping[str, Any]], None]


class Format(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


def export_records(
    entity_type: Annotated[
        EntityType | None, typer.Option("--entity-type", "-t", help="Only these; needed for CSV.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; default: standard output.")] = None,
    form: Annotated[Format, typer.Option("--format", help="One JSON object a line, or CSV.")] = Format.JSONL,
    url: Annotated[
        str | None, typer.Option(help="Address of a running service; default: what this machine has.")
    ] = None,
    token: Annotated[str | None, typer.Option(envvar=TOKEN_VARIABLE, help="Bearer token for --url.")] = None,
    org: Annotated[str | None, typer.Option(help="Organization, when reading the database.")] = None,
) -> None:
    """Write every record with its canonical fields, and what of it cannot be read."""
    settings = read_settings()
    if form is Format.CSV and entity_type is None:
        fail("--format csv needs --entity-type: each has columns of its own", code=BAD_USE)

    async def work(stop: Stop) -> int:
        async with _open_source(settings, entity_type, url=url, token=token, org=org) as records:
            with _open_output(out) as stream:
                write = _jsonl(stream) if form is Format.JSONL else _csv(stream, entity_type)
                return await stop.unless(_copy(records, write))

    try:
        count = run(work)
    except (CannotSend, OSError) as error:
        fail(str(error))
    except OperationError as error:
        fail(error.message)
    typer.echo(f"{count:,} records exported.", err=True)


@asynccontextmanager
async def _open_source(
    settings: Settings, entity_type: EntityType | None, *, url: str | None, token: str | None, org: str | None
) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    target = find_target(settings, url=url, token=token, org=org, role=Role.VIEWER)
    if target.url is not None and target.token is not None:
        async with api_client(target.url, target.token) as client:
            yield read_from_api(client, entity_type)
    else:
        async with Runtime(settings, shares=True, migrates=settings.database_url is None) as runtime:
            act_for(target.organization)
            ctx = Context(runtime.services, Caller(target.organization, "export", Role.VIEWER), "command")
            yield read_from_database(ctx, entity_type)


async def _copy(records: AsyncIterator[dict[str, Any]], write: Write) -> int:
    count = 0
    with progress("Exporting") as report:
        async for record in records:
            write(record)
            count += 1
            if count % REPORT_EVERY == 0:
                report(count, None)
    return count


@contextmanager
def _open_output(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
    else:
        with path.open("w", encoding="utf-8", newline="") as stream:
            yield stream


def _jsonl(stream: TextIO) -> Write:
    def write(record: Mapping[str, Any]) -> None:
        stream.write(orjson.dumps(record).decode() + "\n")

    return write


def _csv(stream: TextIO, entity_type: EntityType | None) -> Write:
    names = tuple(fields_of(entity_type)) if entity_type is not None else ()
    writer = csv.DictWriter(stream, [*ABOUT, *names, OTHER_FIELDS, UNREADABLE])
    writer.writeheader()

    def write(record: Mapping[str, Any]) -> None:
        fields = record["fields"]
        rest = {name: value for name, value in fields.items() if name not in names}
        row = {name: _cell(record[name]) for name in ABOUT}
        row |= {name: _cell(fields[name]) for name in names if name in fields}
        more = {OTHER_FIELDS: rest, UNREADABLE: record["unreadable"]}
        writer.writerow(row | {name: _cell(value) if value else "" for name, value in more.items()})

    return write


def _cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        return orjson.dumps(value).decode()  # which begins with a bracket
    return guarded(value) if isinstance(value, str) else value
