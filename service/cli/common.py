"""What every command shares: settings, plain refusals, and stopping on a signal."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, NoReturn, TypeVar

import typer
from uvicorn.loops.auto import auto_loop_factory

from enrichment.compiled import StaleBuild, check_build
from service.installation_settings import load_settings
from service.logs.logs import configure_logs
from service.provider_settings import unknown
from service.runtime import CannotStart
from service.settings import BadSettings, Settings

T = TypeVar("T")
REFUSED = 1
BAD_USE = 2
INTERRUPTED = 130


class Stopped(Exception):
    """A signal asked to stop before the work was done."""


def fail(message: str, *, code: int = REFUSED) -> NoReturn:
    """End the command with one clear line."""
    typer.echo(f"auto-enrichment: {message}", err=True)
    raise typer.Exit(code)


def read_settings(**changes: Any) -> Settings:
    """The settings, with the given ones over them; ends the command where they, or the build, are bad.

    Sets up the logs.
    """
    try:
        check_build()
    except StaleBuild as error:
        fail(str(error))
    given = {name: value for name, value in changes.items() if value is not None}
    try:
        settings = load_settings(**given)
    except BadSettings as error:
        refuse_settings(error)
    configure_logs(settings)
    for name in unknown(settings):
        typer.echo(f"auto-enrichment: warning: {name} is not a setting and does nothing", err=True)
    return settings


def refuse_settings(error: BadSettings) -> NoReturn:
    for fault in error.faults:
        typer.echo(f"auto-enrichment: {fault}", err=True)
    raise typer.Exit(BAD_USE)


def run(work: Callable[["Stop"], Coroutine[Any, Any, T]]) -> T:
    """Run an asynchronous command to its end, or until Ctrl-C or SIGTERM."""

    async def stoppable() -> T:
        async with stop_signals() as stop:
            return await work(stop)

    try:
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            return runner.run(stoppable())
    except CannotStart as error:
        if isinstance(error.__cause__, BadSettings):
            refuse_settings(error.__cause__)
        fail(str(error))
    except Stopped:
        raise typer.Exit(INTERRUPTED) from None


class Stop:
    """Whether a signal has asked the command to stop, once or a second time."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._when_urged: list[Callable[[], object]] = []

    def signal(self) -> None:
        if self._event.is_set():
            for act in self._when_urged:
                act()
        self._event.set()

    def when_urged(self, act: Callable[[], object]) -> None:
        """Call `act` at the second signal."""
        self._when_urged.append(act)

    async def wait(self) -> None:
        await self._event.wait()

    async def unless(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives. Raises Stopped, after cancelling it, when a signal asks to stop before it ends."""
        task = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self.wait())
        try:
            await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            raise Stopped
        finally:
            stopping.cancel()


@asynccontextmanager
async def stop_signals() -> AsyncIterator[Stop]:
    """Ctrl-C, SIGTERM and a closed terminal ask the command to stop, instead of ending the process."""
    stop = Stop()
    loop = asyncio.get_running_loop()
    caught = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # not under nohup
        caught.append(signal.SIGHUP)
    for number in caught:
        loop.add_signal_handler(number, stop.signal)
    try:
        yield stop
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
