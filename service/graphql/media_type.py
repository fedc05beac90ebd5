"""The media type of an answer: what the request accepts of the two that GraphQL has over HTTP."""

from starlette.requests import Request

from service.http.wishes import wishes

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
_OFFERED = (JSON, RESPONSE)
_RANGES = {"*/*": JSON, "application/*": JSON}  # who takes anything gets what was always answered


def answer_type(request: Request) -> str | None:
    """JSON or RESPONSE, whichever the request likes better, the first of those it likes alike; None: neither."""
    accepted = ", ".join(request.headers.getlist("accept"))
    if not accepted.strip():
        return JSON
    best, liked = None, 0.0
    for wish, quality in wishes(accepted):
        name = _RANGES.get(wish, wish)
        if name in _OFFERED and quality > liked:
            best, liked = name, quality
    return best
