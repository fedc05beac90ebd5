"""The service under test: API processes and workers of the real command, each of which may be hurt."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import jwt

from benchmarks.servers import free_port
from faults.plan import SERVERS, WORKERS
from tests.support.processes import Process, command

PAID = ("apollo", "peopledatalabs")
SECRET = "the-secret-of-a-run-of-the-fault-harness"  # noqa: S105 -- of this run's service alone
_ENCRYPTION_KEY = "the-encryption-key-of-the-fault-harness"


@dataclass(slots=True)
class _Member:
    """A process that is started again after its fault. `output` is what those before it have written."""

    arguments: tuple[str, ...]
    ready: bytes
    name: str
    process: Process | None = None
    down: bool = False  # by a fault, which ends with a restart
    output: list[str] = field(default_factory=list)

    @property
    def works(self) -> bool:
        """Whether it has started, and neither ended nor been stopped."""
        return not (self.down or self.process is None or self.process.has_ended) and self.ready in self.process.output


class Service:
    """The processes on these stores.

    `settings` are the environment, with the prefix left out, `of_servers` the API's besides.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str],
        *,
        servers: int = SERVERS,
        workers: int = WORKERS,
        of_servers: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self.ended_by_themselves: list[str] = []
        self._of_servers = {f"AUTO_ENRICHMENT_{name}": value for name, value in (of_servers or {}).items()}
        self._settings = {
            f"AUTO_ENRICHMENT_{name}": value
            for name, value in {
                "JWT_SECRET": SECRET,
                "ENCRYPTION_KEY": _ENCRYPTION_KEY,
                "MONTHLY_CREDIT_GRANT": "1000000",
                "SHUTDOWN_SECONDS": "3",
                **settings,
            }.items()
        }
        ports = [free_port() for _ in range(servers)]
        self.urls = [f"http://127.0.0.1:{port}" for port in ports]
        self._members = {
            "server": [
                _Member(("serve", "--port", str(port)), b"Serving.", f"server-{number}")
                for number, port in enumerate(ports)
            ],
            "worker": [_Member(("worker",), b"worker runs", f"worker-{number}") for number in range(workers)],
        }

    async def start(self) -> None:
        """Set up the database and start everything."""
        (self._folder / "migrate").mkdir()
        done = await asyncio.to_thread(command, "migrate", data_dir=self._folder / "migrate" / "data", **self._settings)
        assert done.returncode == 0, done.stdout + done.stderr
        await self.start_migrated()

    async def start_migrated(self) -> None:
        """Start everything on a database that has been set up."""
        for resource, members in self._members.items():
            for index in range(len(members)):
                await self.restart(resource, index)
        for members in self._members.values():
            for member in members:
                assert member.process is not None  # just started
                await asyncio.to_thread(member.process.wait_for, member.ready)

    async def restart(self, resource: str, index: int, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        """Start a process anew, in the place of one that has ended, and do not wait until it works.

        `environment` is what it has besides the settings, until it is started anew.
        """
        member, own = self._members[resource][index], self._of_servers if resource == "server" else {}
        if member.process is not None:
            member.output.append(member.process.text)
        member.down = False
        data_dir = self._folder / member.name / "data"
        data_dir.parent.mkdir(exist_ok=True)
        settings = {**self._settings, **own, **environment}
        member.process = Process(*member.arguments, data_dir=data_dir, settings=settings)

    async def keep_running(self) -> None:
        """Start again, until cancelled, what ends by itself, as a supervisor does."""
        while True:
            await asyncio.sleep(1)
            for resource, members in self._members.items():
                for index, member in enumerate(members):
                    if not member.down and member.process is not None and member.process.has_ended:
                        self.ended_by_themselves.append(member.name)
                        await self.restart(resource, index)

    def can_spare(self, resource: str, index: int) -> bool:
        """Whether this process works, and another of its sort does its work without it."""
        members = self._members[resource]
        return members[index].works and any(member.works for member in members if member is not members[index])

    async def take_down(self, resource: str, index: int, number: signal.Signals) -> None:
        """End a process by this signal; it stays down until `restart`."""
        member = self._members[resource][index]
        assert member.process is not None  # all were started
        member.down = True
        await asyncio.to_thread(member.process.end_with, number)

    def signal(self, resource: str, index: int, number: signal.Signals) -> None:
        """Send a process a signal, unless it has ended."""
        process = self._members[resource][index].process
        assert process is not None  # all were started
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
        self._members[resource][index].down = number is signal.SIGSTOP

    def stop(self) -> None:
        """End everything at once."""
        for members in self._members.values():
            for member in members:
                if member.process is not None:
                    with suppress(ProcessLookupError):
                        os.kill(member.process.pid, signal.SIGCONT)
                    member.process.kill()

    def write_output(self, folder: Path) -> None:
        """Keep what each process has written."""
        for members in self._members.values():
            for member in members:
                last = member.process.text if member.process is not None else ""
                text = "\n== started anew\n".join([*member.output, last])
                (folder / f"{member.name}.log").write_text(text, "utf-8")


def token(organization: str) -> str:
    """What shows the service who calls: an admin of the organization."""
    claims = {"sub": "ann", "organizationId": organization, "role": "ADMIN", "exp": int(time.time()) + 36_000}
    return jwt.encode(claims, SECRET, "HS256")
