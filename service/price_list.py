"""How prices of providers are written: `{"directory_archive": 2}` or `directory_archive=2,signals=0`."""

from collections.abc import Iterator

import orjson


def read_prices(text: str) -> Iterator[tuple[str, int]]:
    """Each provider with its price in credits. Raises ValueError."""
    if text.lstrip().startswith("{"):
        try:
            yield from orjson.loads(text).items()
        except orjson.JSONDecodeError as error:
            raise ValueError("should be provider=credits pairs, or a JSON object") from error
        return
    for pair in filter(None, (part.strip() for part in text.split(","))):
        provider, sign, price = (part.strip() for part in pair.partition("="))
        if not (provider and sign and price.isascii() and price.isdigit()):
            raise ValueError("should be provider=credits pairs: directory_archive=2,signals=0")
        yield provider, int(price)
