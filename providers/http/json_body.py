"""Reading a body as JSON that has a blemish: what cannot be read is lost by itself, and the rest of the answer stays.

In-house services write a byte order mark, `NaN` for a missing number, a number beyond doubles, a comma too many or a
bare line break in a text, and what is nested without end is cut. An answer that was paid for is not thrown away over
that. What ends early is no answer.
"""

import math
import re
from typing import Any

import orjson

MOST_DEPTH = 64  # deeper parts are null where a body is too deep to be read
MOST_BLEMISHES = 10_000
MOST_PARTS = 100_000  # values of one body: a reply of a megabyte has some ten thousands
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_CHARSET = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9_.:-]{1,40})")
_BLANK = " \t\r\n\0"
_OPENERS = ("{", "[")

_PAIR = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = rf'\\["\\/bfnrt]|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{{4}}|{_PAIR}'
_TEXT = rf'"(?:[^"\\\x00-\x1f]++|{_ESCAPE})*+"'
_WORD = r'[^\s,:\[\]{}"]'
_NUMBER = rf"-?(?:0|[1-9][0-9]{{0,17}})(?:\.[0-9]{{1,17}})?(?!{_WORD})"
_SOUND = rf"(?:true|false|null)(?!{_WORD})|{_NUMBER}|{_TEXT}|[\s:\[{{]|[\]}}]|,(?!\s*[\]}}])"
# All that is sound before the next blemish, and the blemish: a text, a bare word, or a comma before a bracket.
_NEXT = re.compile(rf'(?P<sound>(?:{_SOUND})*+)(?P<odd>"(?:[^"\\]++|\\.)*+"?|{_WORD}++|,|\Z)', re.DOTALL)
_BRACKET = re.compile(r'(?:[^\[\]{}"]++|"(?:[^"\\]++|\\.)*+"?)*+(?P<bracket>[\[\]{}]|\Z)', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f]")
# All that is sound of a text before the next faulty escape, and that escape.
_ESCAPES = re.compile(rf"(?P<sound>(?:[^\\]++|{_ESCAPE})*+)(?P<odd>\\u[dD][89a-fA-F][0-9a-fA-F]{{2}}|\\|\Z)", re.DOTALL)
_FINITE = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def read_json(body: bytes, content_type: str = "") -> Any:
    """The value. Raises ValueError for what is no JSON, also with blemishes, or has more than MOST_PARTS parts."""
    if body.count(b",") + body.count(b"[") + body.count(b"{") > MOST_PARTS:
        raise ValueError(f"more than {MOST_PARTS} parts")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        text = _decoded(body, content_type).strip(_BLANK)
    if not text.startswith(_OPENERS):
        raise ValueError("no object or list")
    if _is_too_deep(body):
        text = _cut(text)
    return orjson.loads(_NEXT.sub(_mended, text, MOST_BLEMISHES).encode("utf-8", "replace"))


def _is_too_deep(body: bytes) -> bool:
    """Whether a body has enough brackets to be deeper than orjson reads."""
    return body.count(b"[") + body.count(b"{") > 1000


def _cut(text: str) -> str:
    """The text with null for what is deeper than MOST_DEPTH."""
    kept: list[str] = []
    depth = begin = 0
    for found in _BRACKET.finditer(text):
        opens = found["bracket"] in _OPENERS
        depth += opens or -bool(found["bracket"])
        if opens and depth == MOST_DEPTH + 1:
            kept += (text[begin : found.start("bracket")], "null")
        elif not opens and depth == MOST_DEPTH:
            begin = found.end()
    return "".join((*kept, text[begin:])) if depth <= MOST_DEPTH else text


def _decoded(body: bytes, content_type: str) -> str:
    """The body as text; a letter that cannot be read becomes U+FFFD, by which `replies.text` leaves its value out."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    named = _CHARSET.search(content_type)
    try:
        return body.decode(named[1] if named else "utf-8", "replace")
    except (LookupError, ValueError):
        return body.decode("utf-8", "replace")


def _mended(found: re.Match[str]) -> str:
    return found["sound"] + _mended_part(found["odd"])


def _mended_part(odd: str) -> str:
    """A part that JSON does not allow, as JSON: null for a bare word or a number that no double holds."""
    if odd in {"", ","}:
        return ""
    if odd.startswith('"'):
        return _ESCAPES.sub(_escaped, _CONTROL.sub(" ", odd), MOST_BLEMISHES)
    return odd if _FINITE.fullmatch(odd) and len(odd) < 400 and math.isfinite(float(odd)) else "null"


def _escaped(found: re.Match[str]) -> str:
    return found["sound"] + {"": "", "\\": "\\\\"}.get(found["odd"], "\\ufffd")
