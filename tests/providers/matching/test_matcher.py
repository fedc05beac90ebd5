"""A name alone: it means a company with a second sign, or where it is the company's own beyond doubt."""

from typing import Any

import pytest

from enrichment.enums import EntityType
from providers.api import Question
from providers.directory.clues import clues_of
from providers.directory.file import OWN_FILE
from providers.directory.reference import Company, packaged
from providers.matching.clues import Clues
from providers.matching.matcher import Match, Matcher

PACKAGED = Matcher(packaged("directory"), packaged("directory_archive"))


def found(matcher: Matcher, **fields: Any) -> str | None:
    """The domain of the company that an account means."""
    match = matcher.find(clues_of(Question(EntityType.ACCOUNT, fields, frozenset())))
    return match.company.domain if isinstance(match, Match) else None


def company(name: str, domain: str, *, former: tuple[str, ...] = (), **fields: Any) -> Company:
    facts = {"name": name, **fields}
    return Company(domain, (name,), former, tuple(facts), (OWN_FILE,) * len(facts), tuple(facts.values()))


SMALL = Matcher(
    [
        company(
            "Velmora AG", "velmora.com", city="Bern", country="Switzerland", foundedYear=1931, industry="Insurance"
        ),
        company("Kestrel Systems, Inc.", "kestrelsystems.com", city="Boston", country="United States"),
        company("Bloc GmbH", "bloc.de", city="Ulm", country="Germany", phone="+4973190001"),
        company("Sketch", "sketch.test"),
        company("Tarvenia", "tarvenia.com"),
        company("Norvik Ltd", "norvik.co.uk", city="Leeds", country="United Kingdom"),
        company("Norvik AS", "norvik.no", city="Bergen", country="Norway"),
        company("Alba Foods plc", "albafoods.com", country="United Kingdom"),
        company("Alba Marine Ltd", "albamarine.com", country="United Kingdom"),
        company("Alba SE", "alba.de", country="Germany"),
        company("Ostermann Brandt Mercado", "obm.com", former=("Quillow Werke",), city="Graz", country="Austria"),
        company("Apotheke am Bad", "apobad.de", city="Ulm", country="Germany"),
    ]
)


@pytest.mark.parametrize("name", ["Bar", "Anker", "Block", "Nova", "Mercury", "Titan"])
def test_a_short_name_in_another_place_is_another_company(name: str) -> None:
    assert found(PACKAGED, name=name, city="Bonn", street="Marktgasse 3") is None


SHORT = """Adler Alba Alto Amber Anchor Apex Arc Argo Ascent Atlas Aura Axis Bolt Bravo Canon Cargo Cobra Comet Corona
Crown Dash Delta Denso Echo Eclipse Edge Elan Ember Fjord Flex Focus Fox Gap Globe Halo Hertz Horizon Iris Jade Kite
Krone Lear Linde Lion Luna Magna Metro Nexus Nomad Oak Omega Orion Puma Pulse Quest Relay Sage Sonne Spark Stern Swatch
Target Tesla Unity Vega Visa Vista Volt Wave Xerox Zenith Zoom"""


@pytest.mark.parametrize("city", ["Bonn", "Tampere", "Albuquerque"])
def test_no_short_name_is_matched_in_a_city_where_no_such_company_is(city: str) -> None:
    assert {name: domain for name in SHORT.split() if (domain := found(PACKAGED, name=name, city=city))} == {}


@pytest.mark.parametrize(
    ("fields", "domain"),
    [
        # Whole names: with their place, or alone where they are rare.
        ({"name": "Velmora"}, "velmora.com"),
        ({"name": "Velmora", "city": "Bern"}, "velmora.com"),
        ({"name": "Velmora", "city": "Basel"}, None),
        ({"name": "Velmora", "country": "Sweden"}, None),
        ({"name": "Velmora", "city": "Basel", "country": "Switzerland"}, "velmora.com"),
        ({"name": "Kestrel Systems"}, "kestrelsystems.com"),
        ({"name": "Tarvenia"}, "tarvenia.com"),
        ({"name": "Tarvenia", "city": "Bonn"}, "tarvenia.com"),
        # Words of the dictionary: only with another sign.
        ({"name": "Sketch"}, None),
        ({"name": "Bloc"}, None),
        ({"name": "Bloc", "city": "Ulm"}, "bloc.de"),
        ({"name": "Bloc", "country": "Germany"}, "bloc.de"),
        ({"name": "Bloc", "phone": "+4973190001"}, "bloc.de"),
        ({"name": "Bloc GmbH"}, "bloc.de"),
        # Another spelling: never of a short name without more than a place.
        ({"name": "Block", "country": "Germany"}, None),
        ({"name": "Block", "city": "Ulm", "country": "Germany"}, None),
        ({"name": "Block", "phone": "+4973190001"}, "bloc.de"),
        ({"name": "Blcok", "city": "Ulm"}, None),
        ({"name": "Velmra"}, None),
        ({"name": "Velmra", "country": "Switzerland"}, "velmora.com"),
        ({"name": "Velmorra"}, "velmora.com"),
        ({"name": "Velmorra", "city": "Ulm"}, None),
        ({"name": "Velmira", "country": "Switzerland"}, None),
        ({"name": "Velmira", "city": "Bern", "foundedYear": 1931}, "velmora.com"),
        ({"name": "Kestral Systems, Inc."}, "kestrelsystems.com"),
        ({"name": "Apotheke am Rad"}, None),
        # One name, several companies.
        ({"name": "Norvik"}, None),
        ({"name": "Norvik Ltd"}, None),
        ({"name": "Norvik", "city": "Bergen"}, "norvik.no"),
        ({"name": "Norvik", "country": "United Kingdom"}, "norvik.co.uk"),
        ({"name": "Norvik", "country": "Germany"}, None),
        # The first word of several names.
        ({"name": "Alba"}, None),
        ({"name": "Alba SE"}, "alba.de"),
        ({"name": "Alba", "country": "Germany"}, "alba.de"),
        # A long and rare name is the company's wherever an office stands, but not in another country.
        ({"name": "Ostermann Brandt Mercado", "city": "Linz"}, "obm.com"),
        ({"name": "Ostermann Brandt Mercado", "country": "Chile"}, None),
        ({"name": "Quillow Werke"}, "obm.com"),
        # Another domain than the known one.
        ({"name": "Velmora AG", "website": "https://velmora-reisen.com"}, None),
        ({"name": "Velmora AG", "website": "https://velmora-reisen.com", "city": "Bern"}, "velmora.com"),
        ({"name": "Velmora AG", "website": "https://velmora.ch"}, "velmora.com"),
        ({"name": "Velmora AG", "website": "https://vlemora.com"}, "velmora.com"),
    ],
)
def test_a_name_needs_a_second_sign_or_is_a_companys_own(fields: dict[str, Any], domain: str | None) -> None:
    assert found(SMALL, **fields) == domain


@pytest.mark.parametrize(
    ("fields", "domain"),
    [
        ({"name": "Velmora", "website": "https://velmora.com"}, "velmora.com"),
        ({"name": "Quillow Werke", "website": "https://obm.com"}, "obm.com"),  # a rename that is known
        ({"name": "Corner Bakery", "website": "https://velmora.com"}, None),
        ({"name": "Corner Bakery", "website": "https://velmora.com", "country": "Switzerland"}, None),
        ({"name": "Corner Bakery", "website": "https://velmora.com", "city": "Bern"}, "velmora.com"),
        ({"name": "Corner Bakery", "website": "https://velmora.com", "foundedYear": 1931}, "velmora.com"),
        ({"name": "Corner Bakery", "website": "https://velmora.com", "industry": "insurance"}, "velmora.com"),
        ({"name": "Corner Bakery", "website": "https://velmora.com/partner/7", "city": "Bern"}, None),
        ({"name": "Corner Bakery", "website": "https://corner.velmora.com", "city": "Bern"}, None),
        ({"name": "Tarvenia", "website": "https://velmora.com"}, None),  # each names another company
        ({"website": "https://velmora.com"}, "velmora.com"),
    ],
)
def test_a_name_that_shares_nothing_with_the_company_at_the_domain_is_a_doubt(
    fields: dict[str, Any], domain: str | None
) -> None:
    assert found(SMALL, **fields) == domain


def test_a_doubted_match_says_why() -> None:
    def why(**clues: Any) -> str:
        answer = SMALL.find(Clues(**clues))
        return answer.how if isinstance(answer, Match) else answer.why

    assert why(name="Corner Bakery", domains=("velmora.com",)) == (
        "the company that is known by this domain has another name"
    )
    assert why(name="Velmora", city="basel") == "a company of this name is known, but in another place"
    assert why(name="Norvik") == "2 companies go by this name"
    assert why(name="Sketch") == "the name alone does not tell which company it is"
    assert why(name="Block") == (
        "a company of a similar name is known, but the name is too short to be taken for a slip"
    )
    assert why(name="Velmora", domains=("elsewhere.com",)) == "the company is not in the directory"
    assert why(name="Velmora AG", domains=("elsewhere.com",)) == (
        "a company of this name is known, but by another domain"
    )


def test_the_place_of_a_person_speaks_for_a_company_and_never_against_it() -> None:
    def of_person(**clues: Any) -> bool:
        return isinstance(SMALL.find(Clues(location_is_of_person=True, **clues)), Match)

    assert of_person(name="Velmora", country="SE")
    assert of_person(name="Bloc", country="DE")
    assert not of_person(name="Bloc", country="SE")


SEVERAL = """Klinikum|Royal|Bharat|Kumho|Taiwan|Premier|National|Allianz|Coca-Cola|Nexi|eBay|Deutsche Bank|Barclays
Fashion ID|Meetic SAS|Amazon Europe Core SARL|NEXT plc|Klarna Bank AB|Discovery Limited|Domino's|Mahindra"""


@pytest.mark.parametrize("name", SEVERAL.replace("\n", "|").split("|"))
def test_a_name_of_several_companies_stays_unmatched(name: str) -> None:
    assert found(PACKAGED, name=name) is None
