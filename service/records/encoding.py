"""Which encoding a file of text has: by its byte order mark, by its zero bytes, or by what its bytes can be."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

UTF8, UTF16_LE, UTF16_BE, WINDOWS = "utf-8-sig", "utf-16-le", "utf-16-be", "windows-1252"

_CHUNK = 1024 * 1024
_SAMPLE = 4096
_MARKS = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16's, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MOSTLY = 0.4  # of the bytes of UTF-16 in Latin letters half are zero
_BYTE = re.compile("[\udc80-\udcff]")  # what is not UTF-8, as it is read with surrogates
_BY_A_LETTER = re.compile("[A-Za-z][\udc80-\udcff]|[\udc80-\udcff][A-Za-z]")
_UNDEFINED = re.compile("[\udc81\udc8d\udc8f\udc90\udc9d]")  # in Windows-1252
_BEYOND_ASCII = re.compile("[\u0080-\ud7ff\ue000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Encoding:
    """The name of the codec, and whether the file says it itself; else it is `guessed`."""

    name: str
    guessed: bool = False


def encoding_of(path: Path) -> Encoding:
    """The encoding that the file seems to have; UTF-8 where nothing speaks for another. Raises OSError.

    Bytes that are not UTF-8 are Windows-1252, where all of them can be, some stand beside letters as accented ones do,
    and fewer characters of the file are UTF-8; else they are faults of their lines.
    """
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return Encoding(name)
    even, odd = sample[::2], sample[1::2]
    if odd and odd.count(0) > _MOSTLY * len(odd) and even.count(0) < odd.count(0) / 4:
        return Encoding(UTF16_LE, guessed=True)
    if even and even.count(0) > _MOSTLY * len(even) and odd.count(0) < even.count(0) / 4:
        return Encoding(UTF16_BE, guessed=True)
    return Encoding(WINDOWS, guessed=True) if _is_windows(path) else Encoding(UTF8)


def _is_windows(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    wrong = right = by_letters = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if chunk.isascii() and not decoder.getstate()[0]:
                continue
            text = decoder.decode(chunk)
            if _UNDEFINED.search(text):
                return False
            wrong += len(_BYTE.findall(text))
            by_letters += len(_BY_A_LETTER.findall(text))
            right += len(_BEYOND_ASCII.findall(text))
    return by_letters > 0 and wrong > right
