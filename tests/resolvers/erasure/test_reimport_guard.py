"""An import that names an erased person: that line alone is refused, and its content is written down nowhere."""

from pathlib import Path

import httpx
import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from resolvers.erasure.api import erase_record
from resolvers.errors import Unavailable
from resolvers.record.api import get_record
from resolvers.secret_box import SecretBox
from service.cli.import_records import ImportTally, send_file
from service.records.columns import Columns
from service.records.file import RecordFile
from service.records.senders import ApiSender, DirectSender, Sender
from tests.support.factories import context, send, services
from tests.support.rest_client import rest_app, token

pytestmark = pytest.mark.usefixtures("db")

LINES = b"id,lastName,email\nL-5,Ng,ng@other.com\nL-7,Doe,Joe <JOE@acme.com>\nL-8,Roe,not an address\n,Poe,\n"


@pytest.mark.parametrize("over_api", [False, True])
async def test_the_line_is_refused_and_not_repeated(redis: ArqRedis, tmp_path: Path, over_api: bool) -> None:
    ctx = context(services(redis))
    await send(ctx, "lead", "L-1", lastName="Doe", email="joe@acme.com")
    certificate = (await erase_record(ctx, EntityType.LEAD, "L-1")).certificate
    file, rejects, tally = tmp_path / "leads.csv", tmp_path / "rejects.jsonl", ImportTally()
    file.write_bytes(LINES)
    transport = httpx.ASGITransport(rest_app(ctx.services))
    headers = {"Authorization": f"Bearer {token()}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        sender: Sender = ApiSender(client) if over_api else DirectSender(ctx)
        await send_file(RecordFile(file, Columns(EntityType.LEAD, None, {})), sender, rejects, tally)

    assert (tally.outcomes["created"], tally.outcomes["refused"]) == (2, 2)
    written = rejects.read_text("utf-8")
    assert certificate.id in written
    assert "acme" not in written.lower()
    assert "Poe" in written
    assert (await get_record(ctx, EntityType.LEAD, "L-5")).fields["lastName"] == "Ng"


async def test_no_record_is_stored_where_the_hashes_of_the_erased_cannot_be_compared(redis: ArqRedis) -> None:
    first = services(redis)
    first.secret_box = SecretBox(b"1" * 32)
    await send(context(first), "lead", "L-1", lastName="Doe", email="joe@acme.com")
    await erase_record(context(first), EntityType.LEAD, "L-1")
    other = services(redis)
    other.secret_box = SecretBox(b"2" * 32)
    with pytest.raises(Unavailable):
        await send(context(other), "lead", "L-2", lastName="Ng")
    assert (await send(context(other, org="next door"), "lead", "L-2", lastName="Ng")).error is None
