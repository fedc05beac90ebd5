"""Pack the cities and states of dialling codes out of the phonenumbers library.

    python tools/pack_areas.py [<target folder>]

The library's geocoder knows every exchange and holds 100 MB for it. An area code is as far as a number can be
trusted to tell, since numbers move with their owners, and takes a few kilobytes. One `prefix<tab>city<tab>state`
a line, either of the two may be empty.
"""

import gzip
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from phonenumbers.geodata import GEOCODE_DATA

from enrichment.catalogue import normalize
from enrichment.enums import EntityType
from enrichment.normalize.places.country import country_name

LONGEST = 5
NORTH_AMERICA = ("US", "CA")
# Countries whose area codes belong to a city; elsewhere they cover a region, or nothing.
OF_CITIES = {
    "30": "GR", "31": "NL", "32": "BE", "351": "PT", "353": "IE", "39": "IT", "41": "CH", "43": "AT", "44": "GB",
    "46": "SE", "48": "PL", "49": "DE", "81": "JP", "86": "CN", "91": "IN",
}  # fmt: skip
_SLIPS = {
    "British Colombia": "British Columbia",
    "Washington State": "Washington",
    "Washington D.C.": "Washington, DC",
}
_NO_CITY = re.compile(r"/|Northern Ireland|\d")


def _state(text: str, countries: tuple[str, ...]) -> str:
    for code in countries:
        state = normalize(EntityType.ACCOUNT, "state", text, hints={"country": country_name(code)})
        if state and state != text.upper():
            return str(state)
    return text


def _places() -> Iterator[tuple[str, str, str]]:
    for prefix, names in sorted(GEOCODE_DATA.items()):
        place = _SLIPS.get(names.get("en", ""), names.get("en", ""))
        if not place or _NO_CITY.search(place):
            continue
        first, _, second = place.partition(", ")
        if prefix[0] == "1" and len(prefix) == 4:
            state = _state(second or first, NORTH_AMERICA)
            yield prefix, first if second else "", state
        for calling_code, country in OF_CITIES.items():
            if prefix.startswith(calling_code) and len(prefix) <= LONGEST:
                yield prefix, first.removesuffix(" Local"), _state(second, (country,)) if second else ""


def main(target: Path) -> None:
    lines = ["\t".join(place) + "\n" for place in _places()]
    data = gzip.compress("".join(lines).encode(), compresslevel=9, mtime=0)
    (target / "areas.tsv.gz").write_bytes(data)
    sys.stdout.write(f"areas.tsv.gz: {len(lines):,} area codes, {len(data):,} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "providers/data"))
