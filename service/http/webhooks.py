"""Where providers send answers that come later. No bearer token is needed: the token in the URL proves the caller."""

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from resolvers.provider.callback_urls import PATH
from resolvers.provider.inbound_webhooks import deliver, open_callback
from service.http.errors import problem_of
from service.http.json import dump
from service.http.request import RestRuntime, read_object

MOST_BYTES = 256 * 1024  # of what is sent; an answer about one person has a few thousand

_log = structlog.get_logger(__name__)


def webhook_routes(runtime: RestRuntime) -> list[BaseRoute]:
    """The route for every question that a provider answers later."""

    async def receive(request: Request) -> Response:
        provider, token = request.path_params["provider"], request.path_params["token"]
        try:
            question = open_callback(runtime.services, provider, token)
            payload = await read_object(request, most_bytes=MOST_BYTES)
            outcome = await deliver(runtime.services, question, payload)
        except Exception as error:  # translated here, once, whatever it is
            refusal = problem_of(request, error)
            refusal.headers["Connection"] = "close"  # a stranger's body is not read to its end
            return refusal
        _log.info("answer delivered", provider=provider, job_id=question.job_id, outcome=outcome.value)
        return Response(dump({"status": outcome.value}), media_type="application/json")

    return [Route(f"{PATH}/{{provider}}/{{token}}", receive, methods=["POST"], name="webhook")]
