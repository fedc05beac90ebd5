"""Requests to providers over real HTTP: what is sent, what is followed, and what ends in time and size."""

import asyncio
import logging
import socket
import ssl
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from providers.api import ProviderError
from providers.http.addresses import check_base
from providers.http.client import ClientLimits, HttpClient
from providers.http.request import Request
from tests.support.provider_server import PATIENT
from tests.support.standin_server import StandInServer, json_reply
from tests.support.waiting import until


async def failing(transport: HttpClient, request: Request) -> ProviderError:
    with pytest.raises(ProviderError) as refusal:
        await transport.send("acme", request)
    return refusal.value


async def test_a_request_arrives_as_it_was_made_and_its_reply_is_read(
    server: StandInServer, transport: HttpClient
) -> None:
    server.script("/v1/find", json_reply({"name": "Zipfel"}, 201, X_Left="7"))
    request = Request("POST", server.url, "/v1/find", {"q": "a&b=c"}, json={"ä": 1}, headers={"X-Key": "k1"})
    reply = await transport.send("acme", request)
    assert (reply.status, reply.json(), reply.headers["x-left"]) == (201, {"name": "Zipfel"}, "7")
    (call,) = server.calls
    assert (call.method, dict(call.query), call.body) == ("POST", {"q": "a&b=c"}, '{"ä":1}'.encode())
    assert call.headers["x-key"] == "k1"
    assert call.headers["content-type"] == "application/json"
    assert call.headers["user-agent"] == "auto-enrichment/test"


async def test_a_form_is_written_as_one_and_may_name_its_own_content_type(
    server: StandInServer, transport: HttpClient
) -> None:
    server.script("/token", json_reply({}))
    await transport.send("acme", Request("POST", server.url, "/token", form={"grant": "a b"}))
    await transport.send("acme", Request("POST", server.url, "/token", json={}, headers={"content-type": "a/b"}))
    assert server.calls[0].body == b"grant=a+b"
    assert server.calls[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert server.calls[1].headers["content-type"] == "a/b"


async def test_a_server_that_hangs_is_given_up_and_may_have_charged(server: StandInServer) -> None:
    hasty = HttpClient(development=True, limits=ClientLimits(read_seconds=0.2))
    error = await failing(hasty, Request("GET", server.url, "/hostile/hang"))
    assert (error.code, error.retryable, error.maybe_charged) == ("timeout", True, True)
    await hasty.close()


async def test_a_reply_that_drips_ends_with_the_whole_time(server: StandInServer) -> None:
    hasty = HttpClient(development=True, limits=ClientLimits(whole_seconds=0.4))
    error = await failing(hasty, Request("GET", server.url, "/hostile/drip"))
    assert (error.code, error.maybe_charged) == ("timeout", True)
    await hasty.close()


@pytest.mark.parametrize("mode", ["endless", "bomb", "empty_bomb"])
async def test_a_reply_that_is_too_large_is_dropped_early_and_costs_no_memory(
    server: StandInServer, transport: HttpClient, mode: str
) -> None:
    tracemalloc.start()
    try:
        error = await failing(transport, Request("GET", server.url, f"/hostile/{mode}"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert error.code == "invalid_answer"
    assert not error.retryable
    assert error.maybe_charged
    # The server's own pieces, the largest of which are 64 MiB before packing, are in this process too.
    assert peak < 96 * 1024 * 1024


@pytest.mark.parametrize("mode", ["broken_gzip", "brotli"])
async def test_what_cannot_be_unpacked_is_no_answer(server: StandInServer, transport: HttpClient, mode: str) -> None:
    error = await failing(transport, Request("GET", server.url, f"/hostile/{mode}"))
    assert error.code == "invalid_answer"


@pytest.mark.parametrize("mode", ["garbage", "html"])
async def test_a_reply_that_is_no_json_is_no_answer(server: StandInServer, transport: HttpClient, mode: str) -> None:
    reply = await transport.send("acme", Request("GET", server.url, f"/hostile/{mode}"))
    with pytest.raises(ProviderError) as refusal:
        reply.json()
    assert refusal.value.code == "invalid_answer"


async def test_an_error_of_the_server_is_a_reply(server: StandInServer, transport: HttpClient) -> None:
    reply = await transport.send("acme", Request("GET", server.url, "/hostile/failing"))
    assert (reply.status, reply.body) == (500, b"oops")


async def test_a_redirect_to_another_host_is_not_followed(server: StandInServer, transport: HttpClient) -> None:
    error = await failing(transport, Request("GET", server.url, "/hostile/redirect_away"))
    assert error.code == "invalid_answer"
    assert "another host" in error.message


async def test_a_redirect_on_the_host_is_followed_three_times_and_with_the_key(
    server: StandInServer, transport: HttpClient
) -> None:
    server.script("/moved", json_reply({"here": True}))
    reply = await transport.send("acme", Request("GET", server.url, "/hostile/redirect_here", headers={"X-Key": "k"}))
    assert reply.json() == {"here": True}
    assert server.calls[-1].headers["x-key"] == "k"
    server.calls.clear()
    await failing(transport, Request("GET", server.url, "/hostile/redirect_round"))
    assert len(server.calls) == 4


async def test_a_post_is_never_repeated_by_a_redirect(server: StandInServer, transport: HttpClient) -> None:
    error = await failing(transport, Request("POST", server.url, "/hostile/redirect_here", json={}))
    assert error.code == "invalid_answer"
    assert len(server.calls) == 1


async def test_no_cookie_goes_from_one_account_to_the_next(server: StandInServer, transport: HttpClient) -> None:
    for _ in range(2):
        await transport.send("acme", Request("GET", server.url, "/hostile/cookie"))
    assert all("cookie" not in call.headers for call in server.calls)


async def test_a_path_cannot_lead_to_another_host(transport: HttpClient) -> None:
    error = await failing(transport, Request("GET", "https://api.example.com", "@evil.example/x"))
    assert error.code == "rejected"


async def test_who_cannot_be_reached_has_charged_nothing(transport: HttpClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = await failing(transport, Request("GET", f"http://127.0.0.1:{port}", "/"))
    assert (error.code, error.retryable, error.maybe_charged) == ("unavailable", True, False)


@pytest.mark.parametrize(
    "said", [b"", b"\x00\x01 this is not HTTP\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"]
)
async def test_a_connection_that_breaks_may_have_charged(transport: HttpClient, said: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        error = await failing(transport, Request("GET", f"http://127.0.0.1:{port}", "/"))
    assert (error.code, error.retryable, error.maybe_charged) == ("unavailable", True, True)


async def test_what_is_sent_on_a_kept_connection_that_breaks_is_not_sent_again(transport: HttpClient) -> None:
    requests: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        requests.append(await reader.readuntil(b"\r\n\r\n"))  # and may have charged for it
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listening:
        request = Request("GET", f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", "/find")
        assert (await transport.send("acme", request)).json() == {}
        error = await failing(transport, request)
    assert (error.code, error.maybe_charged, len(requests)) == ("unavailable", True, 2)


@pytest.mark.parametrize("header", [b"a: " + b"x" * 100_000, b"\r\n".join(b"a%d: x" % n for n in range(10_000))])
async def test_a_reply_whose_head_is_too_large_is_dropped(transport: HttpClient, header: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + header + b"\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        error = await failing(transport, Request("GET", f"http://127.0.0.1:{port}", "/"))
    assert (error.code, error.maybe_charged) == ("unavailable", True)


async def test_headers_of_one_name_are_one_list(transport: HttpClient) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nX-Left: 1\r\nx-left: \xe4\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        reply = await transport.send("acme", Request("GET", f"http://127.0.0.1:{port}", "/"))
    assert reply.headers["x-left"] == "1, ä"


async def test_an_address_is_written_so_that_the_server_reads_what_was_asked(
    server: StandInServer, transport: HttpClient
) -> None:
    server.script("/a b/ä+", json_reply({}))
    parameters = {"q": "a&b=c+d e;f#ä/%41"}
    await transport.send("acme", Request("GET", server.url, "/a b/ä%2B", parameters))
    (call,) = server.calls
    assert (call.path, dict(call.query)) == ("/a b/ä+", parameters)


def self_signed(folder: Path) -> ssl.SSLContext:
    """What a server of this machine shows whose certificate is its own word."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    plain = serialization.NoEncryption()
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    with file.open("ab") as more:
        more.write(made.public_bytes(serialization.Encoding.PEM))
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(file)
    return shown


async def test_a_server_whose_certificate_nobody_signed_is_told_nothing(transport: HttpClient, tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1024))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=self_signed(tmp_path))
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        error = await failing(transport, Request("GET", f"https://localhost:{port}", "/", headers={"X-Key": "k"}))
    assert (error.code, error.maybe_charged) == ("unavailable", False)
    assert heard == []


async def test_an_authority_of_ones_own_is_trusted_for_its_hosts_alone(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()

    shown = self_signed(tmp_path)
    transport = HttpClient(development=True, limits=PATIENT, ca_file=tmp_path / "server.pem")
    listening = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=shown)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        assert (await transport.send("erp", Request("GET", f"https://localhost:{port}", "/"))).json() == {}
        error = await failing(transport, Request("GET", f"https://127.0.0.1:{port}", "/"))  # not the name it shows
    assert error.code == "unavailable"
    await transport.close()


def test_a_file_without_certificates_is_refused_at_the_start(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")
    with pytest.raises(ValueError, match="holds no certificate"):
        HttpClient(ca_file=empty)
    with pytest.raises(ValueError, match="cannot be read"):
        HttpClient(ca_file=tmp_path / "absent.pem")


async def test_proxies_of_the_environment_are_not_trusted(
    server: StandInServer, transport: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server.script("/direct", json_reply({}))
    assert (await transport.send("acme", Request("GET", server.url, "/direct"))).status == 200


async def test_a_key_is_in_no_log_error_or_text(
    server: StandInServer, transport: HttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    request = Request("GET", server.url, "/any", {"api_key": "s3cret-key"}, headers={"Authorization": "s3cret-key"})
    await transport.send("acme", request)
    broken = await failing(transport, Request("GET", server.url, "/any", headers={"Authorization": "s3cret-key\n"}))
    assert broken.code == "rejected"
    assert "s3cret" not in caplog.text + repr(request) + str(broken) + repr(broken)


async def test_each_provider_has_connections_of_its_own(server: StandInServer) -> None:
    limits = ClientLimits(connect_seconds=0.3, connections=1)  # how long to wait for a connection, too
    transport = HttpClient(development=True, limits=limits)
    server.script("/quick", json_reply({}))
    hanging = asyncio.create_task(transport.send("slow", Request("GET", server.url, "/hostile/hang")))
    await until(lambda: server.calls_to("/hostile/hang"))
    assert (await transport.send("other", Request("GET", server.url, "/quick"))).status == 200
    error = await failing_at(transport, "slow", server.url)
    assert (error.code, error.maybe_charged) == ("timeout", False)
    hanging.cancel()
    await asyncio.wait({hanging})
    await transport.close()


async def failing_at(transport: HttpClient, provider: str, url: str) -> ProviderError:
    with pytest.raises(ProviderError) as refusal:
        await transport.send(provider, Request("GET", url, "/quick"))
    return refusal.value


@pytest.mark.parametrize("address", ["https://api.example.com", "https://api.example.com/v2/", "https://10.0.0.1:8443"])
def test_an_https_address_is_fit_everywhere(address: str) -> None:
    assert check_base(address) == address.rstrip("/")


@pytest.mark.parametrize("address", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:80"])
def test_plain_http_is_for_this_machine_in_development(address: str) -> None:
    assert check_base(address, development=True) == address
    with pytest.raises(ValueError, match="https"):
        check_base(address)


@pytest.mark.parametrize(
    "address",
    [
        "http://api.example.com",
        "http://127.0.0.1.example.com",
        "http://192.168.0.1",
        "ftp://localhost",
        "api.example.com",
        "https://",
        "https://user:pw@api.example.com",
        "https://api.example.com?key=1",
        "https://[::1",
        "",
    ],
)
def test_an_unfit_address_is_refused_even_in_development(address: str) -> None:
    with pytest.raises(ValueError, match=r"should|no web address"):
        check_base(address, development=True)
