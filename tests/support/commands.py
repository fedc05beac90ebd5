"""Runs the command inside this process: everything but the start of a process, which takes a second of its own."""

import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import structlog
from typer.testing import CliRunner

from service.cli.index import command_line


@dataclass(frozen=True)
class Finished:
    """What a command has done."""

    returncode: int
    stdout: str
    stderr: str


def command(*arguments: str, data_dir: Path, **settings: str) -> Finished:
    """The command, run to its end, with no settings but these."""
    environment: dict[str, str | None] = {name: None for name in os.environ if name.startswith("AUTO_ENRICHMENT_")}
    environment |= {"AUTO_ENRICHMENT_DATA_DIR": str(data_dir), **settings}
    with contextlib.chdir(data_dir.parent), _logs_as_before():
        result = CliRunner().invoke(command_line(arguments), arguments, prog_name="auto-enrichment", env=environment)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Finished(result.exit_code, result.stdout, result.stderr)


@contextlib.contextmanager
def _logs_as_before() -> Iterator[None]:
    """Let the command set up the logs of its process, and put back how they were."""
    root = logging.getLogger()
    handlers, before = root.handlers[:], structlog.get_config()
    levels = {name: logging.getLogger(name).level for name in (None, *logging.Logger.manager.loggerDict)}
    # A logger that keeps its configuration from the first line on could not be given back the one it had.
    configure = structlog.configure
    try:
        with mock.patch.object(
            structlog, "configure", lambda **given: configure(**{**given, "cache_logger_on_first_use": False})
        ):
            yield
    finally:
        logging.captureWarnings(capture=False)
        root.handlers[:] = handlers
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        structlog.configure(**before)
