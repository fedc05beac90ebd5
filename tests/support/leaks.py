"""The forms that a secret takes in texts, and the files that may hold it."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus


def forms(secret: str) -> set[bytes]:
    """The secret as it is, and as addresses, headers, JSON and other texts would write it."""
    raw = secret.encode()
    texts = {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
    }
    found = {text.encode() for text in texts} | {raw.hex().encode(), raw[::-1]}
    for before in range(3):
        # Wherever it stands in what was encoded, but for the letters at its ends that depend on its neighbours.
        found.add(base64.b64encode(b"\0" * before + raw)[4 if before else 0 : -4])
    return found


def found_in(text: bytes, secrets: dict[str, str]) -> set[str]:
    """The names of the secrets that the text holds in any form."""
    return {name for name, secret in secrets.items() if any(form in text for form in forms(secret))}


def files_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the folder, by its path."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield str(path.relative_to(folder)), path.read_bytes()
