"""Structured logs on standard error: ours and those of the libraries, one line an event, without secrets."""

import logging
import re
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from service.logs.tracebacks import format_exception
from service.settings import Settings

_HIDDEN = "********"
_SECRET_NAMES = re.compile(r"authorization|token|secret|password|api_?key|cookie", re.IGNORECASE)
_TOKEN = re.compile(r"\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*")
_BEARER = re.compile(r"(bearer\s+)[^\s\"']+", re.IGNORECASE)
_CALLBACK = re.compile(r"(/webhooks/\w{1,64}/)[^\s/?\"']+")
_URL_PASSWORD = re.compile(r"(\w://[^\s:/@]*:)[^\s/@]+(?=@)")
# What each of these begins with or holds: most texts have none of it, and are looked through once.
_MAY_HOLD_SECRETS = re.compile(r"eyJ|bearer|/webhooks/|://", re.IGNORECASE)
_EXCEPTIONS = structlog.processors.ExceptionRenderer(format_exception)
# What libraries log below a warning may repeat statements with their values, addresses, headers and messages.
_OURS = ("models", "enrichment", "providers", "resolvers", "workers", "schema", "service")


def configure_logs(settings: Settings) -> None:
    """Send structlog and standard logging through the same lines. May be called again."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(
            fmt="%H:%M:%S" if settings.console_logs else "iso", utc=not settings.console_logs, key="time"
        ),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = _StderrHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(settings)],
        )
    )
    level = settings.log_level.upper()
    logging.basicConfig(handlers=[handler], level=max(logging.WARNING, logging.getLevelName(level)), force=True)
    logging.captureWarnings(capture=True)
    for name in _OURS:
        logging.getLogger(name).setLevel(level)


def _rendering(settings: Settings) -> list[Processor]:
    if settings.console_logs:
        return [
            _EXCEPTIONS,
            redact,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), timestamp_key="time", pad_event_to=0, sort_keys=False
            ),
        ]
    return [
        _EXCEPTIONS,
        redact,
        structlog.processors.JSONRenderer(serializer=_dumps),
    ]


def _dumps(event: Any, default: Callable[[Any], Any] = str, **_: Any) -> str:
    return orjson.dumps(event, default=default, option=orjson.OPT_NON_STR_KEYS).decode("utf-8", "replace")


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Hide what must never be in a log: tokens, keys, passwords in URLs, whatever is named as a secret."""
    return {name: _without_secrets(name, value) for name, value in event.items()}


def _without_secrets(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(name, item) for item in value]
    if value is not None and _names_a_secret(name):
        return _HIDDEN
    return redact_text(value) if isinstance(value, str) else value


@lru_cache(maxsize=1_000)
def _names_a_secret(name: str) -> bool:
    return _SECRET_NAMES.search(name) is not None


def redact_text(text: str) -> str:
    """The text without tokens, also those in the address of a webhook, and without passwords in URLs."""
    if _MAY_HOLD_SECRETS.search(text) is None:
        return text
    text = _TOKEN.sub(_HIDDEN, text)
    text = _CALLBACK.sub(rf"\g<1>{_HIDDEN}", text)
    text = _BEARER.sub(rf"\g<1>{_HIDDEN}", text)
    return _URL_PASSWORD.sub(rf"\g<1>{_HIDDEN}", text)


class _StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is at the moment: a progress bar on it keeps its place below."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _: TextIO) -> None: ...
