"""What a header of wishes names, such as `Accept` and `Accept-Encoding`, and how much each is liked."""

from collections.abc import Iterator

_MOST_CHARACTERS = 2_000  # of the header; nobody has so many wishes


def wishes(header: str) -> Iterator[tuple[str, float]]:
    """Each name of the header in lower case, with its quality from 0 to 1: 1 where it has none that can be read."""
    for wish in header[:_MOST_CHARACTERS].split(","):
        name, *options = (part.strip().lower() for part in wish.split(";"))
        if name:
            yield name, next((_quality(option[2:]) for option in options if option.startswith("q=")), 1.0)


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0
