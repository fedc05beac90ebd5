"""The media type of an answer: what the request accepts of the two that GraphQL has over HTTP."""

from collections.abc import Iterator

from starlette.requests import Request

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
_OFFERED = (JSON, RESPONSE)
_RANGES = {"*/*": JSON, "application/*": JSON}  # who takes anything gets what was always answered
_MOST_CHARACTERS = 2_000  # of the header; nobody has so many wishes


def answer_type(request: Request) -> str | None:
    """JSON or RESPONSE, whichever the request likes better, the first of those it likes alike; None: neither."""
    accepted = ", ".join(request.headers.getlist("accept"))[:_MOST_CHARACTERS]
    if not accepted.strip():
        return JSON
    best, liked = None, 0.0
    for name, quality in _wishes(accepted):
        if quality > liked:
            best, liked = name, quality
    return best


def _wishes(accepted: str) -> Iterator[tuple[str, float]]:
    """Each media type that we offer and the header names, with its quality from 0 to 1."""
    for wish in accepted.split(","):
        name, *options = (part.strip().lower() for part in wish.split(";"))
        name = _RANGES.get(name, name)
        if name in _OFFERED:
            yield name, next((_quality(option[2:]) for option in options if option.startswith("q=")), 1.0)


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0
