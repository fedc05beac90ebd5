"""Which encoding a file of text has: by its byte order mark, by its zero bytes, or by what makes sense of its bytes."""

import codecs
import re
from collections import Counter
from collections.abc import Mapping
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
_BY_A_LETTER = re.compile("([A-Za-z]?)([\udc80-\udcff])(?=([A-Za-z]?))")
_BEYOND_ASCII = re.compile("[\u0080-\ud7ff\ue000-\U0010ffff]")
# One byte a letter: of Windows, of old programs of the Mac, of DOS and what still writes like it.
_OF_ONE_BYTE = (WINDOWS, "mac-roman", "cp850")
_OFTEN = frozenset("äöüÄÖÜßéèêàáãçñóíøåæ")  # in names of Western languages
_SELDOM = frozenset("ëâòôõìîïúùûœÉÈÊÀÂÁÃÅÇÑÓÔØÍÎÚÛÆŒ")
_APOSTROPHE = "\u2019"
_SIGNS = frozenset("“”„«»—…•·€£™®©°§\u2018\u2019\u2013\u00a0")

_Place = tuple[str, str, str]  # the letter before, the byte, the letter after, as far as there are letters


@dataclass(frozen=True, slots=True)
class Encoding:
    """The name of the codec, and whether the file says it itself; else it is `guessed`."""

    name: str
    guessed: bool = False


def encoding_of(path: Path) -> Encoding:
    """The encoding that the file seems to have; UTF-8 where nothing speaks for another. Raises OSError.

    Bytes that are not UTF-8 are of an encoding with a byte a letter, where some stand beside letters as accented ones
    do, and fewer characters of the file are UTF-8; else they are faults of their lines. It is that of Windows, unless
    another makes more of them the letters and signs of Western languages, where such stand.
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
    of_one_byte = _of_one_byte(path)
    return Encoding(UTF8) if of_one_byte is None else Encoding(of_one_byte, guessed=True)


def _of_one_byte(path: Path) -> str | None:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    wrong = right = 0
    places: Counter[_Place] = Counter()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if chunk.isascii() and not decoder.getstate()[0]:
                continue
            text = decoder.decode(chunk)
            wrong += len(_BYTE.findall(text))
            places.update(_BY_A_LETTER.findall(text))
            right += len(_BEYOND_ASCII.findall(text))
    if wrong <= right or not any(before or after for before, _, after in places):
        return None
    likeliness = {name: _likeliness(places, name) for name in _OF_ONE_BYTE}
    best = max(_OF_ONE_BYTE, key=lambda name: likeliness[name])  # the first of several
    if best == WINDOWS and any(_read(byte, WINDOWS) is None for _, byte, _ in places):
        return None
    return best


def _likeliness(places: Mapping[_Place, int], name: str) -> int:
    """How well the bytes make sense where they stand; each that makes none counts against it."""
    return sum(count * _sense(place, name) for place, count in places.items())


def _sense(place: _Place, name: str) -> int:
    before, byte, after = place
    read = _read(byte, name)
    if read in _OFTEN or read in _SELDOM:
        in_a_word = before and (before + after).lower() == before + after
        if (read.isupper() and (in_a_word or (before and after.islower()))) or (read.islower() and after.isupper()):
            return -1
        return 2 if read in _OFTEN else 1
    return 2 if read in _SIGNS and (read == _APOSTROPHE or not (before and after)) else -1


def _read(byte: str, name: str) -> str | None:
    try:
        return byte.encode("utf-8", "surrogateescape").decode(name)
    except UnicodeDecodeError:
        return None
