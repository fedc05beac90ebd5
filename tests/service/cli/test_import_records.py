"""A file is imported in batches that fit into requests."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from enrichment.enums import EntityType
from service.cli.import_records import AT_ONCE, BATCH_BYTES, ImportTally, send_file
from service.cli.import_words import reading
from service.records.columns import Columns
from service.records.file import RecordFile
from service.records.senders import CannotSend, SendResult

ACCOUNTS = Columns(EntityType.ACCOUNT)


def written(tmp_path: Path, name: str, content: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


class Taking:
    """A receiver that takes everything, and notes the sizes of what it was sent."""

    def __init__(self) -> None:
        self.sent: list[list[str]] = []
        self.bytes: list[int] = []

    async def send(self, records: Sequence[Mapping[str, Any]]) -> list[SendResult]:
        self.sent.append([record["externalId"] for record in records])
        self.bytes.append(len(orjson.dumps(records)))
        return [SendResult("created") for _ in records]


async def test_a_file_is_sent_in_batches_and_can_go_on_in_the_middle(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", b"id,name\n" + b"".join(b"A%d,Acme\n" % number for number in range(2500)))
    taking, tally = Taking(), ImportTally()
    await send_file(RecordFile(file, ACCOUNTS), taking, tmp_path / "rejects", tally)
    assert [len(batch) for batch in taking.sent] == [1000, 1000, 500]
    assert (tally.outcomes["created"], tally.last_line) == (2500, 2501)
    assert not (tmp_path / "rejects").exists()

    later = Taking()
    await send_file(RecordFile(file, ACCOUNTS), later, tmp_path / "rejects", ImportTally(), from_line=2401)
    assert later.sent[0][0] == "A2399"
    assert sum(map(len, later.sent)) == 101


async def test_a_batch_fits_into_a_request(tmp_path: Path) -> None:
    row = b"A%d," + b"x" * 60_000 + b"\n"
    file = written(tmp_path, "a.csv", b"id,name\n" + b"".join(row % number for number in range(200)))
    taking = Taking()
    await send_file(RecordFile(file, ACCOUNTS), taking, tmp_path / "rejects", ImportTally())
    assert sum(map(len, taking.sent)) == 200
    assert max(taking.bytes) < BATCH_BYTES * 1.01


class Slow(Taking):
    """Takes its time, fails at one record, and knows how many batches were under way at once."""

    def __init__(self, *, fails_at: str | None = None) -> None:
        super().__init__()
        self._fails_at = fails_at
        self._under_way = self.most = 0

    async def send(self, records: Sequence[Mapping[str, Any]]) -> list[SendResult]:
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        try:
            for _ in range(5):
                await asyncio.sleep(0)
            if any(record["externalId"] == self._fails_at for record in records):
                raise CannotSend("no")
            return await super().send(records)
        finally:
            self._under_way -= 1


async def test_a_batch_is_sent_while_another_is_under_way(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", b"id,name\n" + b"".join(b"A%d,Acme\n" % number for number in range(4500)))
    slow, tally = Slow(), ImportTally()
    await send_file(RecordFile(file, ACCOUNTS), slow, tmp_path / "rejects", tally)
    assert slow.most == AT_ONCE
    assert (tally.outcomes["created"], tally.last_line) == (4500, 4501)


async def test_batches_that_share_a_record_are_sent_one_after_the_other(tmp_path: Path) -> None:
    file = written(
        tmp_path, "a.csv", b"id,name\n" + b"".join(b"A%d,Acme\n" % (number % 1000) for number in range(2500))
    )
    slow = Slow()
    await send_file(RecordFile(file, ACCOUNTS), slow, tmp_path / "rejects", ImportTally())
    assert [len(batch) for batch in slow.sent] == [1000, 1000, 500]
    assert slow.most == 1


async def test_what_fails_is_not_counted_as_stored_and_leaves_nothing_under_way(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", b"id,name\n" + b"".join(b"A%d,Acme\n" % number for number in range(4500)))
    slow, tally = Slow(fails_at="A1200"), ImportTally()
    with pytest.raises(CannotSend):
        await send_file(RecordFile(file, ACCOUNTS), slow, tmp_path / "rejects", tally)
    assert tally.last_line == 1001
    assert slow._under_way == 0


class NotUnderstanding(Taking):
    """Takes everything, and cannot read one field."""

    async def send(self, records: Sequence[Mapping[str, Any]]) -> list[SendResult]:
        return [SendResult("created", left_out={"phone": "not a phone number"}) for _ in records]


async def test_what_is_not_understood_is_counted_by_field_and_can_be_corrected(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", b"id,phone\nA1,x\nA2,y\n")
    tally, rejects = ImportTally(), tmp_path / "rejects.jsonl"
    await send_file(RecordFile(file, ACCOUNTS), NotUnderstanding(), rejects, tally)
    assert list(tally.left_out.lines()) == ["phone: 2 not understood, kept as sent: not a phone number (2)"]
    with RecordFile(rejects, ACCOUNTS).lines() as lines:
        assert [line.record and line.record["fields"] for line in lines] == [{"phone": "x"}, {"phone": "y"}]
    await send_file(RecordFile(file, ACCOUNTS), NotUnderstanding(), rejects, ImportTally(), from_line=3)
    assert len(rejects.read_bytes().splitlines()) == 3  # it goes on


def test_what_the_columns_become_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    text = "My accounts\n\nRecord ID;Company name;city;Owner;Müll\n1;Acme;Rome;Ann;x\n"
    file = written(tmp_path, "a.csv", text.encode("windows-1252"))
    assert list(reading(RecordFile(file, ACCOUNTS))) == [
        "Reading a.csv as windows-1252 by its bytes (--encoding says another), separated by semicolons,"
        " header in line 3.",
        "Columns: Record ID is the id, Company name is name, city.",
        "No fields of ours, kept as they are: Owner, Müll. --map COLUMN=FIELD names one.",
    ]
