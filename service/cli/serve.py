"""`auto-enrichment serve`: the API, and with `--embedded` database, Redis and worker in the same process."""

import asyncio
import socket
from typing import Annotated

import structlog
import typer

from resolvers.context import Role
from service.app import create_app
from service.auth.shared_secret import development_token
from service.cli.address_file import recorded_address
from service.cli.common import Stop, fail, read_settings, refuse_settings, run
from service.collector import settle_collector
from service.http.server import AddressUnusable, address_of, build_server, listen
from service.production import refuse_unsafe, remarks
from service.runtime import Runtime
from service.sample.run import SAMPLE_ORGANIZATION, SAMPLE_PRICES, run_sample
from service.settings import BadSettings, Settings

TOKEN_DAYS = 7

_log = structlog.get_logger(__name__)


def serve(
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Run database, Redis and a worker in this process as well.")
    ] = False,
    sample: Annotated[
        bool, typer.Option("--sample", help="Load sample records, enrich them and show what came of it.")
    ] = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
) -> None:
    """Serve the API until Ctrl-C."""
    settings = read_settings(host=host, port=port)
    if sample and not embedded:
        fail("--sample needs --embedded", code=2)
    if sample and not settings.provider_prices:
        settings = settings.model_copy(update={"provider_prices": SAMPLE_PRICES})
    try:
        refuse_unsafe(settings, embedded=embedded)
        listening = listen(settings)
    except BadSettings as error:
        refuse_settings(error)
    except AddressUnusable as error:
        fail(str(error))
    for remark in remarks(settings):
        _log.warning("settings should not stay so", reason=remark)
    with listening:
        run(lambda stop: _serve(settings, listening, stop, embedded=embedded, sample=sample))


async def _serve(settings: Settings, listening: socket.socket, stop: Stop, *, embedded: bool, sample: bool) -> None:
    runtime = Runtime(settings, worker=embedded, migrates=embedded or settings.database_url is None)
    try:
        await stop.unless(runtime.open())
        with recorded_address(settings, address_of(listening)):
            await _serve_until_stopped(runtime, listening, stop, embedded=embedded, sample=sample)
    finally:
        await runtime.close()


async def _serve_until_stopped(
    runtime: Runtime, listening: socket.socket, stop: Stop, *, embedded: bool, sample: bool
) -> None:
    server = build_server(create_app(runtime), runtime.settings)
    settle_collector()
    serving = asyncio.create_task(server.serve(sockets=[listening]), name="server")
    greeting = asyncio.create_task(
        _greet(runtime, address_of(listening), embedded=embedded, sample=sample), name="greeting"
    )
    stopping = asyncio.create_task(stop.wait())
    stop.when_urged(lambda: setattr(server, "force_exit", True))
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (greeting, stopping):
        task.cancel()
    await asyncio.gather(greeting, stopping, return_exceptions=True)
    typer.echo("Stopping: finishing what is in flight", err=True)
    server.should_exit = True
    await serving


async def _greet(runtime: Runtime, address: str, *, embedded: bool, sample: bool) -> None:
    if sample:
        await run_sample(runtime)
    _show_addresses(address)
    if embedded and not runtime.settings.production:
        _show_token(runtime.settings, address)
    typer.echo("Serving. Press Ctrl-C to stop.")


def _show_addresses(address: str) -> None:
    typer.echo("")
    for name, path in (("GraphiQL", "/graphql"), ("REST reference", "/v1/docs"), ("Readiness", "/readyz")):
        typer.echo(f"{name:<16}{address}{path}")


def _show_token(settings: Settings, address: str) -> None:
    if settings.jwt_jwks is not None:
        return  # whoever holds the private key makes the tokens
    if settings.jwt_secret is not None:  # which other services may trust too: no token of it goes to a screen or a log
        typer.echo("\nA token, signed with the secret of the settings: auto-enrichment token --org … --role …")
        return
    token = development_token(
        settings,
        organization_id=SAMPLE_ORGANIZATION,
        role=Role.ADMIN,
        user="developer",
        ttl_seconds=TOKEN_DAYS * 86_400,
    )
    typer.echo(f"\nA development token (organization {SAMPLE_ORGANIZATION}, ADMIN, {TOKEN_DAYS} days):\n{token}")
    typer.echo(f'\nTry: curl -H "Authorization: Bearer $TOKEN" {address}/v1/auto-enrichment/stats')
