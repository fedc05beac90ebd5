"""`auto-enrichment import`: streams a file of records in, over the API or directly into the stores."""

import asyncio
import codecs
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, BinaryIO, cast

import orjson
import typer

from enrichment.enums import EntityType
from models.db.acting import act_for
from resolvers.context import Caller, Context, Role
from resolvers.errors import OperationError
from service.cli.common import BAD_USE, REFUSED, Stop, fail, read_settings, run
from service.cli.import_words import LeftOut, reading
from service.cli.progress import progress
from service.cli.target import find_target
from service.records.columns import Columns, UnreadableFile
from service.records.file import Line, RecordFile
from service.records.moments import DateOrder
from service.records.senders import ApiSender, CannotSend, DirectSender, Sender, SendResult, api_client
from service.runtime import Runtime
from service.settings import TOKEN_VARIABLE, Settings

BATCH_RECORDS = 1000
AT_ONCE = 2  # batches
BATCH_BYTES = 4 * 1024 * 1024


@dataclass(slots=True)
class ImportTally:
    """Progress of an import. `last_line` is the last line whose record is stored, `left_out` what cannot be read."""

    outcomes: Counter[str] = field(default_factory=Counter)
    last_line: int = 0
    left_out: LeftOut = field(default_factory=LeftOut)
    _began: float = field(default_factory=time.monotonic)

    def count(self, batch: "_Batch", answers: Sequence[SendResult], rejects: "_Rejects") -> None:
        """Count what became of a batch; what was refused or not understood goes to `rejects`."""
        for line in batch.lines:
            if line.fault is not None:
                self.outcomes["refused"] += 1
                rejects.add(line, line.fault)
        for line, answer in zip(batch.good, answers, strict=True):
            self.outcomes[answer.outcome] += 1
            self.left_out.add(answer.left_out)
            if answer.fault is not None:
                rejects.add(line, answer.fault, withheld=answer.erased)
            elif answer.left_out:
                rejects.add(line, "; ".join(f"{name}: {reason}" for name, reason in answer.left_out.items()))
        self.last_line = batch.lines[-1].number

    def speed(self) -> str:
        """How many records were sent, and how many a second, in words."""
        count = self.outcomes.total()
        return f"{count:,} records, {count / max(time.monotonic() - self._began, 0.001):,.0f}/s"


def import_records(
    file: Annotated[Path, typer.Argument(help="A .csv, .tsv, .txt or .jsonl file.", exists=True, dir_okay=False)],
    entity_type: Annotated[EntityType, typer.Option("--entity-type", "-t", help="What the records are.")],
    url: Annotated[
        str | None, typer.Option(help="Address of a running service; default: what this machine has.")
    ] = None,
    token: Annotated[str | None, typer.Option(envvar=TOKEN_VARIABLE, help="Bearer token for --url.")] = None,
    org: Annotated[str | None, typer.Option(help="Organization, when going straight into the stores.")] = None,
    id_column: Annotated[str | None, typer.Option(help="Column with the CRM's own id.")] = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="column=field, for each column with a name of its own.")
    ] = None,
    rejects: Annotated[Path | None, typer.Option(help="Where refused lines go, as JSONL.")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Encoding of the file, such as cp1250; default: found out.")
    ] = None,
    dates: Annotated[
        DateOrder | None, typer.Option(help="How dates such as 1/2/2026 are written; default: found out.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what the columns become; send nothing.")] = False,
    from_line: Annotated[int, typer.Option(min=1, help="Begin at this line of the file.")] = 1,
) -> None:
    """Send a file of records; repeating it is safe, as what is unchanged starts nothing."""
    settings = read_settings()
    columns = Columns(entity_type, id_column, dict(_renamed(mapping or [])), dates)
    records = RecordFile(file, columns, _codec(encoding))
    rejects = rejects or file.with_name(f"{file.name}.rejects.jsonl")
    tally = ImportTally()
    try:
        for said in reading(records):
            typer.echo(said, err=not dry_run)
    except (UnreadableFile, OSError) as error:
        fail(str(error))
    if dry_run:
        return

    async def work(stop: Stop) -> None:
        async with open_sender(settings, url=url, token=token, org=org) as sender:
            await stop.unless(send_file(records, sender, rejects, tally, from_line=from_line))

    try:
        run(work)
    except typer.Exit:
        _say(tally, rejects, stopped=True)
        raise
    except (UnreadableFile, CannotSend, OSError) as error:
        _say(tally, rejects, stopped=True)
        fail(str(error))
    except OperationError as error:
        fail(error.message)
    _say(tally, rejects)
    if tally.outcomes["refused"]:
        raise typer.Exit(REFUSED)


def _codec(encoding: str | None) -> str | None:
    if encoding is None:
        return None
    try:
        "".encode(encoding)
        return codecs.lookup(encoding).name
    except LookupError:
        fail(f"--encoding {encoding}: no such encoding", code=BAD_USE)


def _renamed(mapping: list[str]) -> Iterator[tuple[str, str]]:
    for pair in mapping:
        column, sign, name = (part.strip() for part in pair.partition("="))
        if not (column and sign and name):
            fail(f"--map {pair}: should be column=field", code=BAD_USE)
        yield column, name


@asynccontextmanager
async def open_sender(
    settings: Settings, *, url: str | None, token: str | None, org: str | None
) -> AsyncIterator[Sender]:
    """The sender that the options choose."""
    target = find_target(settings, url=url, token=token, org=org, role=Role.USER)
    if target.url is not None and target.token is not None:
        async with api_client(target.url, target.token) as client:
            yield ApiSender(client)
    else:
        async with Runtime(settings, shares=True, migrates=settings.database_url is None) as runtime:
            act_for(target.organization)
            caller = Caller(target.organization, "import", Role.USER)
            yield DirectSender(Context(runtime.services, caller, "command"))


async def send_file(file: RecordFile, sender: Sender, rejects: Path, tally: ImportTally, *, from_line: int = 1) -> None:
    """Send the file's records in batches, counting in `tally`; refused lines go to `rejects` with the reason.

    A batch is sent while another is under way, unless they share a record: those are stored in order.
    """
    with (
        file.lines() as lines,
        _Rejects(rejects, goes_on=from_line > 1) as refused,
        progress(f"Importing {file.name}", total=file.bytes_in_all, share=True) as report,
    ):
        under_way: deque[_Batch] = deque()

        async def settle() -> None:
            batch = under_way.popleft()
            tally.count(batch, await batch.answers, refused)
            report(file.bytes_read, file.bytes_in_all, tally.speed())

        try:
            for some in _batches(line for line in lines if line.number >= from_line):
                batch = _Batch(some, sender)
                while under_way and (len(under_way) >= AT_ONCE or any(batch.shares_with(each) for each in under_way)):
                    await settle()
                under_way.append(batch)
                batch.send()
                await asyncio.sleep(0)
            while under_way:
                await settle()
        finally:
            for each in under_way:
                each.answers.cancel()
            await asyncio.gather(*(each.answers for each in under_way), return_exceptions=True)


class _Batch:
    """Some lines of the file; those without a fault are sent together."""

    answers: asyncio.Task[list[SendResult]]

    def __init__(self, lines: list[Line], sender: Sender) -> None:
        self.lines = lines
        self.good = [line for line in lines if line.fault is None]
        self._records = [line.record for line in self.good if line.record is not None]
        self._ids = {str(record.get("externalId")).strip() for record in self._records}
        self._sender = sender

    def shares_with(self, other: "_Batch") -> bool:
        """Whether a record may be in both."""
        return not self._ids.isdisjoint(other._ids)

    def send(self) -> None:
        self.answers = asyncio.create_task(self._send())

    async def _send(self) -> list[SendResult]:
        return await self._sender.send(self._records) if self._records else []


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    """Lines in batches that fit into one request."""
    batch: list[Line] = []
    size = 0
    for line in lines:
        length = len(orjson.dumps(line.record, default=str)) if line.record is not None else 0
        if batch and (len(batch) == BATCH_RECORDS or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += length
    if batch:
        yield batch


class _Rejects:
    """A JSONL file of refused lines, made with the first of them.

    One left by an earlier run is replaced, unless this one `goes_on` where that was cut.
    """

    def __init__(self, path: Path, *, goes_on: bool) -> None:
        self._path = path
        self._mode = "ab" if goes_on else "wb"
        self._file: BinaryIO | None = None

    def add(self, line: Line, fault: str, *, withheld: bool = False) -> None:
        if self._file is None:
            self._file = cast("BinaryIO", self._path.open(self._mode))
        content = None if withheld else line.text
        self._file.write(orjson.dumps({"line": line.number, "fault": fault, "content": content}) + b"\n")

    def __enter__(self) -> "_Rejects":
        return self

    def __exit__(self, *_: Any) -> None:
        if self._file is not None:
            self._file.close()


def _say(tally: ImportTally, rejects: Path, *, stopped: bool = False) -> None:
    counts = tally.outcomes
    typer.echo(
        f"{counts.total():,} records: {counts['created']:,} new, {counts['changed']:,} changed, "
        f"{counts['unchanged']:,} unchanged, {counts['refused']:,} refused."
    )
    for line in tally.left_out.lines():
        typer.echo(line)
    if counts["refused"] or tally.left_out.cells:
        typer.echo(f"These lines, each with the reason, to correct and import again: {rejects}")
    if stopped and tally.last_line:
        typer.echo(f"Stopped after line {tally.last_line}: go on with --from-line {tally.last_line + 1}.")
