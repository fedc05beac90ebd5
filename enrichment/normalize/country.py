"""Countries: any common spelling, code or local name becomes the English short name."""

from functools import lru_cache
from typing import Any

import pycountry
from babel import Locale

from enrichment.normalize.text import Refused, tidy, words

_LANGUAGES = [
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "da",
    "sv",
    "nb",
    "fi",
    "is",
    "pl",
    "cs",
    "sk",
    "hu",
    "sl",
    "hr",
    "sr",
    "ro",
    "bg",
    "el",
    "tr",
    "ru",
    "uk",
    "et",
    "lv",
    "lt",
    "ja",
    "zh",
    "zh_Hant",
    "ko",
    "th",
    "vi",
    "id",
    "ms",
    "ar",
    "he",
    "fa",
    "hi",
    "ca",
    "eu",
    "gl",
    "ga",
    "cy",
    "sq",
    "mk",
    "bs",
]

# Names that ISO and CLDR put otherwise than a CRM does.
_SHORT_NAMES = {
    "HK": "Hong Kong",
    "MO": "Macao",
    "MM": "Myanmar",
    "PS": "Palestine",
    "CG": "Congo",
    "CD": "Democratic Republic of the Congo",
    "XK": "Kosovo",
}

_ALIASES = {
    "US": "usa|u s a|u s|united states of america|the united states|america|us of a|estados unidos de america|u s of a|unites states|united state",
    "GB": "uk|u k|great britain|britain|england|scotland|wales|northern ireland|gbr|g b|united kingdom of great britain and northern ireland",
    "DE": "ger|brd|federal republic of germany|bundesrepublik deutschland|allemagne|germania",
    "NL": "holland|the netherlands|nederland|hol|ned",
    "CH": "sui|schweiz|suisse|svizzera|swiss|swiss confederation",
    "AE": "uae|u a e|emirates|the united arab emirates",
    "KR": "korea|south korea|republic of korea|korea republic of|korea south|rok|s korea",
    "KP": "north korea|dprk|korea north|korea democratic people s republic of",
    "CN": "prc|p r c|people s republic of china|peoples republic of china|mainland china|p r china|pr china",
    "TW": "taiwan roc|republic of china|taiwan province of china|r o c|chinese taipei|taiwan r o c",
    "HK": "hong kong sar|hongkong|hong kong sar china|hong kong china",
    "MO": "macau|macau sar|macao sar china",
    "RU": "russia|russian federation|the russian federation",
    "CZ": "czech republic|the czech republic|czech",
    "TR": "turkey|turkiye",
    "VN": "viet nam|vietnam",
    "IR": "iran|islamic republic of iran",
    "SY": "syria",
    "LA": "laos",
    "MD": "moldova",
    "MK": "macedonia|north macedonia|fyrom",
    "TZ": "tanzania",
    "VE": "venezuela",
    "BO": "bolivia",
    "BN": "brunei",
    "CV": "cape verde",
    "CI": "ivory coast|cote d ivoire",
    "SZ": "swaziland|eswatini",
    "MM": "burma",
    "PS": "palestine|palestinian territories",
    "CD": "dr congo|drc|congo kinshasa|democratic republic of congo",
    "CG": "republic of the congo|congo brazzaville",
    "VA": "vatican|vatican city|holy see",
    "DK": "den",
    "ES": "esp|espana",
    "PT": "por",
    "GR": "gre|hellas",
    "IE": "eire|republic of ireland|irl|ireland republic of",
    "HR": "cro",
    "BG": "bul",
    "ZA": "rsa|republic of south africa|s africa",
    "SA": "ksa|kingdom of saudi arabia",
    "NZ": "n z|aotearoa",
    "BR": "brasil|bra",
    "MX": "mejico",
    "SK": "slovak republic",
    "SG": "republic of singapore|s pore",
    "TT": "trinidad|trinidad tobago",
    "BA": "bosnia",
    "XK": "kosovo",
}


@lru_cache(1)
def _english() -> dict[str, str]:
    territories = Locale.parse("en").territories
    names = {c.alpha_2: territories.get(c.alpha_2, c.name) for c in pycountry.countries}
    return {**names, **_SHORT_NAMES}


@lru_cache(1)
def _codes() -> dict[str, str]:
    table: dict[str, str] = {}
    for country in pycountry.countries:
        for name in (
            country.alpha_2,
            country.alpha_3,
            country.name,
            getattr(country, "official_name", ""),
            getattr(country, "common_name", ""),
        ):
            if name:
                table.setdefault(words(name), country.alpha_2)
    for code, name in _english().items():
        table[words(name)] = code
    for code, aliases in _ALIASES.items():
        for alias in filter(None, aliases.split("|")):
            table[alias] = code
    return table


@lru_cache(1)
def _local_names() -> dict[str, str]:
    table: dict[str, str] = {}
    known = _english()
    for language in _LANGUAGES:
        for code, name in Locale.parse(language).territories.items():
            if code in known:
                table.setdefault(words(name), code)
    return table


@lru_cache(8192)
def country_code(text: str) -> str | None:
    """ISO 3166-1 alpha-2 of a country given by code, English or local name; None when it names none."""
    key = words(text)
    return _codes().get(key) or _local_names().get(key) if key else None


def country_name(code: str) -> str:
    """The English short name of an ISO 3166-1 alpha-2 code: "Germany" for "DE"."""
    return _english()[code]


def canonical_country(raw: Any) -> str | None:
    """The English short name; None when empty. Raises Refused when it names no country."""
    text = tidy(raw, 200)
    if text is None:
        return None
    code = country_code(text)
    if code is None:
        raise Refused("not a country")
    return country_name(code)
