"""`auto-enrichment worker`: runs the jobs, beside any number of other workers and API processes."""

import structlog
from prometheus_client import start_http_server

from enrichment.compiled import form
from service.cli.common import Stop, fail, read_settings, refuse_settings, run
from service.collector import settle_collector
from service.production import refuse_unsafe, remarks
from service.runtime import Runtime
from service.settings import PREFIX, BadSettings, Settings

_log = structlog.get_logger(__name__)


def worker() -> None:
    """Run enrichment jobs until Ctrl-C or SIGTERM; what is in flight is finished or handed back."""
    settings = read_settings()
    try:
        refuse_unsafe(settings)
    except BadSettings as error:
        refuse_settings(error)
    for remark in remarks(settings):
        _log.warning("settings should not stay so", reason=remark)
    run(lambda stop: _work(settings, stop))


async def _work(settings: Settings, stop: Stop) -> None:
    runtime = Runtime(settings, worker=True, shares=True, migrates=settings.database_url is None)
    try:
        await stop.unless(runtime.open())
        settle_collector()
        if settings.worker_metrics_port is not None:
            _serve_metrics(settings, settings.worker_metrics_port, runtime)
        _log.info("worker runs", concurrency=settings.worker_concurrency, decisions=form())
        await stop.wait()
        _log.info("worker stops, finishing what is in flight")
    finally:
        await runtime.close()


def _serve_metrics(settings: Settings, port: int, runtime: Runtime) -> None:
    try:
        start_http_server(port, settings.host, runtime.services.measures.registry)
    except OSError as error:
        fail(f"cannot serve metrics on {settings.host}:{port}: {error.strerror}; see {PREFIX}WORKER_METRICS_PORT")
