"""Redis is reached by TLS with certificates of both sides, as a user without dangerous commands, and by sentinels."""

import asyncio
import ssl
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from redis.asyncio import Redis
from redis.asyncio.sentinel import MasterNotFoundError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from benchmarks.servers import free_port
from models.job.queries import count_unfinished_jobs
from service.doctor import Verdict, examine
from service.embedded.redis import server_programs
from service.installation_settings import load_settings
from service.redis_pool import RedisAccess, redis_at, sentinels_of
from service.runtime import CannotStart, Runtime
from service.settings import BadSettings
from tests.support.factories import context, send
from tests.support.waiting import until

USER, PASSWORD = "enrichment", "a/password of@the:tests"
QUOTED = "a%2Fpassword%20of%40the%3Atests"
# As docs/operations.md has it.
RULES = ["~auto-enrichment:*", "~arq:*", "resetchannels", "&auto-enrichment:*", "+@all", "-@dangerous"]
DOWN_MS = 1000  # after which a sentinel thinks that the master is gone


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def command(client: Redis, *words: str) -> Any:
    return await client.execute_command(*words)  # type: ignore[no-untyped-call] # redis-py has no types here


@asynccontextmanager
async def started(folder: Path, *arguments: str) -> AsyncIterator[tuple[int, Process]]:
    """A redis-server with these arguments: its port, and its process."""
    port = free_port()
    program = server_programs(None)[-1]
    process = await create_subprocess_exec(
        *(str(program), *arguments[:2], "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)),
        *arguments[2:],
        stdout=DEVNULL,
        start_new_session=True,
    )
    try:
        await until(lambda: listens(port))
        yield port, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def certified(folder: Path, host: str = "localhost") -> Path:
    """A certificate that is its own authority, of `host`; its key lies beside it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + DAY)
    certificate = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False).sign(
        key, hashes.SHA256()
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return folder / "certificate.pem"


DAY = timedelta(days=1)


@asynccontextmanager
async def behind_tls(port: int, certificate: Path) -> AsyncIterator[int]:
    """A port where Redis is reached by TLS, by who shows this certificate too."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificate)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    context.verify_mode = ssl.CERT_REQUIRED

    serving: set[asyncio.Task[None]] = set()

    async def copy(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()
            with suppress(OSError):  # the other side has gone
                await writer.wait_closed()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer), return_exceptions=True)

    def begin(reader: StreamReader, writer: StreamWriter) -> None:
        serving.add(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*serving)


async def test_the_whole_service_works_by_tls_as_a_user_without_dangerous_commands(
    tmp_path: Path, database_url: str
) -> None:
    certificate = certified(tmp_path)
    async with AsyncExitStack() as stack:
        port, _ = await stack.enter_async_context(started(tmp_path, "--save", ""))
        admin = await stack.enter_async_context(Redis(port=port))
        await command(admin, "ACL", "SETUSER", USER, "on", f">{PASSWORD}", *RULES)
        await command(admin, "ACL", "SETUSER", "default", "resetpass", ">nobody knows")
        outer = await stack.enter_async_context(behind_tls(port, certificate))
        settings = load_settings(
            data_dir=tmp_path / "data",
            database_url=database_url,
            redis_url=f"rediss://{USER}:{QUOTED}@localhost:{outer}/0",
            redis_ca_file=certificate,
            redis_cert_file=certificate,
            redis_key_file=certificate.with_name("key.pem"),
        )
        async with Runtime(settings, worker=True, migrates=True) as runtime:
            await send(context(runtime.services), "account", "A1", domain="acme.com")
            await until(_all_have_ended)
            findings = {finding.subject: finding async for finding in examine(settings)}
        assert findings["redis"].verdict is Verdict.OK
        assert findings["workers"].verdict is Verdict.OK
        refused = await command(admin, "ACL", "LOG")
        # INFO is the doctor's; redis-py goes on where an older server lacks CLIENT SETINFO.
        assert {entry[b"object"] for entry in map(_pairs, refused)} - {b"client"} == {b"info"}
        with pytest.raises(CannotStart):
            async with Runtime(settings.model_copy(update={"redis_cert_file": None, "redis_key_file": None})):
                pass


async def _all_have_ended() -> bool:
    return not any((await count_unfinished_jobs()).values())


def _pairs(flat: list[object]) -> dict[object, object]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


async def answers(url: str, certificate: Path) -> bool:
    """Whether Redis answers by TLS at this address to who trusts, and shows, this certificate."""
    access = RedisAccess(certificate, certificate, certificate.with_name("key.pem"))
    client = redis_at(url, tries=0, access=access)
    try:
        return bool(await client.ping())
    finally:
        await client.aclose(close_connection_pool=True)


async def test_a_server_by_tls_must_show_a_certificate_of_its_name(tmp_path: Path) -> None:
    certificate = certified(tmp_path, "elsewhere.example")
    async with (
        started(tmp_path, "--save", "") as (port, _),
        behind_tls(port, certificate) as outer,
    ):
        with pytest.raises(RedisConnectionError, match="Hostname mismatch"):
            await answers(f"rediss://localhost:{outer}/0", certificate)
        assert await answers(f"rediss://localhost:{outer}/0?ssl_check_hostname=false", certificate)
        assert await answers(f"rediss://localhost:{outer}/0?ssl_cert_reqs=none", certificate)


async def test_sentinels_and_the_master_that_they_name_must_show_certificates_of_their_names(tmp_path: Path) -> None:
    certificate = certified(tmp_path)
    config = tmp_path / "sentinel.conf"
    async with AsyncExitStack() as stack:
        port, _ = await stack.enter_async_context(started(tmp_path, "--save", ""))
        master = await stack.enter_async_context(behind_tls(port, certificate))
        config.write_text(f"sentinel monitor enrichment 127.0.0.1 {master} 1\n")
        inner, _ = await stack.enter_async_context(started(tmp_path, str(config), "--sentinel"))
        sentinel = await stack.enter_async_context(behind_tls(inner, certificate))
        by_address = f"rediss+sentinel://127.0.0.1:{sentinel}/0?service=enrichment"
        with pytest.raises(MasterNotFoundError):
            await answers(by_address, certificate)
        with pytest.raises(RedisConnectionError, match="IP address mismatch"):  # of the master
            await answers(by_address.replace("127.0.0.1", "localhost"), certificate)
        assert await answers(f"{by_address}&ssl_check_hostname=false", certificate)


@pytest.mark.long
async def test_another_master_is_found_by_the_sentinels_and_the_queue_goes_on(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("master", "replica", "sentinel")]
    for folder in folders:
        folder.mkdir()
    async with AsyncExitStack() as stack:
        secret = ["--requirepass", PASSWORD, "--masterauth", PASSWORD]
        port, master = await stack.enter_async_context(started(folders[0], "--save", "", *secret))
        replica, _ = await stack.enter_async_context(
            started(folders[1], "--save", "", *secret, "--replicaof", "127.0.0.1", str(port))
        )
        config = folders[2] / "sentinel.conf"
        config.write_text(
            f'sentinel monitor enrichment 127.0.0.1 {port} 1\nsentinel auth-pass enrichment "{PASSWORD}"\n'
            f"sentinel down-after-milliseconds enrichment {DOWN_MS}\nsentinel failover-timeout enrichment 5000\n"
        )
        sentinel, _ = await stack.enter_async_context(started(folders[2], str(config), "--sentinel"))
        url = f"redis+sentinel://:{QUOTED}@127.0.0.1:{sentinel}/0?service=enrichment"
        client = redis_at(url, tries=10)
        stack.push_async_callback(client.aclose, close_connection_pool=True)
        copied = await stack.enter_async_context(Redis(port=replica, password=PASSWORD))
        await client.set("arq:before", "1")
        await until(lambda: copied.get("arq:before"))
        looked = await stack.enter_async_context(Redis(port=sentinel))

        async def knows_the_replica() -> bool:
            return bool(await command(looked, "SENTINEL", "REPLICAS", "enrichment"))

        await until(knows_the_replica)
        master.kill()

        async def taken_over() -> bool:
            try:
                return bool(await client.enqueue_job("work", _job_id="after"))
            except (RedisError, OSError):
                return False

        await until(taken_over)
        assert await client.get("arq:before") == b"1"
        assert await copied.exists("arq:job:after")


def test_what_sentinels_are_told_by_is_an_address() -> None:
    url = "redis+sentinel://u:p@one:1,[::1]:2,three/0?service=mymaster"
    assert sentinels_of(url) == ([("one", 1), ("::1", 2), ("three", 26379)], "mymaster")
    for bad in ("redis+sentinel://one/0", "redis+sentinel:///0?service=x", "redis+sentinel://one:x/0?service=x"):
        with pytest.raises(BadSettings):
            load_settings(redis_url=bad)


def test_certificates_are_refused_where_they_are_of_no_use(tmp_path: Path) -> None:
    file = tmp_path / "file.pem"
    file.touch()
    for wrong in (
        {"redis_url": "redis://localhost", "redis_ca_file": file},
        {"redis_url": "rediss://localhost", "redis_cert_file": file},
        {"redis_url": "rediss://localhost", "redis_ca_file": tmp_path / "missing.pem"},
    ):
        with pytest.raises(BadSettings):
            load_settings(**wrong)
