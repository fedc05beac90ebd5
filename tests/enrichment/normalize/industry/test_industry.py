"""Industries: which labels of different vocabularies mean one, and which differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment.catalogue import is_equivalent, normalize, value_key
from enrichment.enums import EntityType
from enrichment.normalize.industry.industry import (
    canonical_industry,
    industries_of,
    industry_key,
    is_vague_label,
    same_industry,
)
from enrichment.normalize.industry.tree import tree
from enrichment.normalize.industry.words import plain_words

ACCOUNT = EntityType.ACCOUNT

# One industry, said by two vocabularies; or a part of it, said by the one that is more precise.
SAME = """
# GICS, its own levels and years
Financials | Banks
Banks | Regional Banks
Capital Markets | Asset Management & Custody Banks
Insurance | Property & Casualty Insurance
Information Technology | Semiconductors & Semiconductor Equipment
Software & Services | Application Software
Consumer Staples | Brewers
Food, Beverage & Tobacco | Packaged Foods & Meats
Health Care Equipment & Services | Health Care Supplies
Pharmaceuticals, Biotechnology & Life Sciences | Biotechnology
Industrials | Passenger Airlines
Industrials | Airlines
Capital Goods | Aerospace & Defense
Construction Machinery & Heavy Trucks | Construction Machinery & Heavy Transportation Equipment
Internet & Direct Marketing Retail | Broadline Retail
Food & Staples Retailing | Consumer Staples Distribution & Retail
Electric Utilities | Multi-Utilities
Equity Real Estate Investment Trusts (REITs) | Office REITs
Interactive Media & Services | Communication Services
# GICS and LinkedIn, Apollo, People Data Labs
IT Services | information technology & services
Software | computer software
Software | Software Development
Application Software | Computer Software
Aerospace & Defense | aviation & aerospace
Airlines | airlines/aviation
Health Care Providers & Services | hospital & health care
Pharmaceuticals | Pharmaceutical Manufacturing
Health Care Equipment & Supplies | Medical Equipment Manufacturing
Automobiles | Motor Vehicle Manufacturing
Auto Components | automotive
Machinery | industrial automation
Machinery | automation machinery manufacturing
Oil, Gas & Consumable Fuels | oil & energy
Hotels, Restaurants & Leisure | hospitality
Air Freight & Logistics | logistics and supply chain
Containers & Packaging | packaging and containers
Metals & Mining | mining & metals
Professional Services | staffing and recruiting
Professional Services | management consulting
Media | marketing and advertising
Entertainment | motion pictures and film
Entertainment | computer games
Household Durables | furniture
Personal Products | cosmetics
Food & Staples Retailing | supermarkets
Commercial Services & Supplies | facilities services
Commercial Services & Supplies | Security and Investigations
Diversified Telecommunication Services | telecommunications
Wireless Telecommunication Services | wireless
Road & Rail | transportation/trucking/railroad
Capital Markets | Venture Capital & Private Equity
Distillers & Vintners | Wine & Spirits
Real Estate Management & Development | commercial real estate
Electrical Equipment | electrical/electronic manufacturing
# GICS and ICB, ZoomInfo, Crunchbase, HubSpot, Salesforce
Pharmaceuticals | Pharmaceuticals & Biotechnology
Banks | Banking
Trading Companies & Distributors | Industrial Suppliers
Chemicals | Chemicals, Petrochemicals, Glass & Gases
Professional Services | Consulting
Professional Services | Business Services
Software | Business Intelligence (BI) Software
Software | COMPUTER_SOFTWARE
IT Services | INFORMATION_TECHNOLOGY_AND_SERVICES
Biotechnology | Biotech
Insurance | Insurance Carriers
Utilities | Energy, Utilities & Waste
Health Care | Healthcare
Food Products | Food & Beverage
Media | Media & Internet
Education Services | Education
Consumer Discretionary | Automotive Parts
Software | SaaS
Diversified Financial Services | Finance
Specialty Retail | Retail
Machinery | Manufacturing
Construction & Engineering | Construction
# NAICS and SIC titles
Software Publishers | Software
541511 - Custom Computer Programming Services | Software
SIC 7372: Services-Prepackaged Software | computer software
Depository Credit Intermediation | Banks
Semiconductor and Other Electronic Component Manufacturing | Semiconductors
Pharmaceutical and Medicine Manufacturing | Pharmaceuticals
Finance and Insurance | Insurance
Legal Services | Professional, Scientific, and Technical Services
Crop Production | Agriculture, Forestry, Fishing and Hunting
General Freight Trucking | Transportation and Warehousing
Retail Trade | Grocery Stores
Wholesale Trade | Food Distributors
# Wikipedia
Capital Markets | financial services
Metals & Mining | iron and steel
Oil, Gas & Consumable Fuels | petroleum industry
Health Care Equipment & Supplies | medical devices
Textiles, Apparel & Luxury Goods | clothing
Aerospace & Defense | defence
Auto Components | tyres
Automobiles | automotive industry
Beverages | brewing
Media | mass media
Marine | shipping
Construction Materials | cement
Interactive Media & Services | internet
Technology Hardware, Storage & Peripherals | computer hardware
# German, French, Spanish, Italian, Portuguese, Dutch
Machinery | Maschinenbau
Automobiles & Components | Automobilindustrie
Insurance | Versicherungen
Banks | Banken
IT Services | IT-Dienstleistungen
Software | Softwareentwicklung
Construction & Engineering | Baugewerbe
Real Estate | Immobilien
Retail | Einzelhandel
Chemicals | Chemische Industrie
Health Care | Gesundheitswesen
Management Consulting | Unternehmensberatung
Telecommunications | T\u00e9l\u00e9communications
Insurance | Assurances
Construction & Engineering | B\u00e2timent
Food Products | Agroalimentaire
Banks | Banca
Mining | Miner\u00eda
Education | Educaci\u00f3n
Hospitality | Turismo
Tourism | Tourisme
Real Estate | Imobili\u00e1rio
Insurance | Verzekeringen
Machinery | macchinari
# other spellings and wordings of what is listed
Health Care | health-care
E-Commerce | eCommerce
Oil & Gas | oil and gas
Banking | the banking sector
Banking | Banking industry
Software | Software Company
Insurance | insurer
Aerospace & Defense | Aerospace and Defence
Furniture | Furniture manufacturer
Furniture | Manufacture of furniture
Specialty Chemicals | speciality chemicals producer
Hotels | Luxury hotel chain
Cloud Computing | Cloud computing services provider
Restaurants | restaurant group
Software | Software for hospitals
Banks & Insurance | Insurance
Jewelry | jewellery
Aluminum | aluminium producer
Steel | steel maker
Trucking | haulage
Retail Trade, except of Motor Vehicles | Retail
# not listed at all
Underwater Basket Weaving | underwater basket-weaving
Falconry | falconry services
Zeppelin tethering | tethering of zeppelins?
"""
# Two industries, however near.
DIFFERENT = """
Banks | Insurance
Regional Banks | Diversified Banks
Life & Health Insurance | Property & Casualty Insurance
Capital Markets | Consumer Finance
Brewers | Soft Drinks & Non-alcoholic Beverages
Packaged Foods & Meats | Food Retail
Food Products | Food & Staples Retailing
Pharmaceuticals | Biotechnology
Biotechnology | Life Sciences Tools & Services
Health Care Equipment | Health Care Services
Health Care Technology | Health Care Equipment
Semiconductors | Technology Hardware, Storage & Peripherals
Software | IT Services
Software | Semiconductors
Software | Advertising
Application Software | Systems Software
Machinery | Electrical Equipment
Machinery | Aerospace & Defense
Machinery | Building Products
Machinery | conglomerate
Industrial Conglomerates | Machinery
Automobile Manufacturers | Automotive Parts & Equipment
Chemicals | Pharmaceuticals
Metals & Mining | Paper & Forest Products
Gold | Steel
Electric Utilities | Gas Utilities
Water Utilities | waste management
Oil & Gas Exploration & Production | Oil & Gas Refining & Marketing
Airlines | Marine
Trucking | Rail Transportation
Hotels, Resorts & Cruise Lines | Restaurants
Household Durables | department store
Textiles, Apparel & Luxury Goods | Apparel Retail
Broadcasting | Publishing
Telecommunications | Media
Office REITs | Retail REITs
Real Estate Management & Development | Equity Real Estate Investment Trusts (REITs)
Capital Markets | retail
Tobacco | conglomerate
legal services | accounting
management consulting | staffing and recruiting
law practice | hospital & health care
computer games | computer hardware
higher education | primary/secondary education
government administration | non-profit organization management
airlines/aviation | aviation & aerospace component manufacturing
Maschinenbau | Versicherungen
Assurances | B\u00e2timent
Banca | Miner\u00eda
Wholesale Trade | Retail Trade
Furniture stores | Furniture manufacturer
Software for banks | Banks
Steel distribution | Steel
Printing | Printers
Hospitality | Hospitals
Securities | Security Services
Electricity | Electrical Equipment
Space | SPAC
Underwater Basket Weaving | Software
Underwater Basket Weaving | Basket trade
Technology | Software
B2B | Retail & Commerce
Services | Insurance
"""


def pairs(table: str) -> list[tuple[str, str]]:
    lines = [line for line in table.strip().split("\n") if not line.startswith("#")]
    return [(a.strip(), b.strip()) for a, _, b in (line.partition("|") for line in lines)]


@pytest.mark.parametrize(("a", "b"), pairs(SAME))
def test_labels_of_one_industry_are_the_same(a: str, b: str) -> None:
    one, other = (normalize(ACCOUNT, "industry", label) for label in (a, b))
    assert is_equivalent(ACCOUNT, "industry", one, other)
    assert is_equivalent(ACCOUNT, "industry", other, one)
    assert is_equivalent(ACCOUNT, "subIndustry", one, other)


@pytest.mark.parametrize(("a", "b"), pairs(DIFFERENT))
def test_labels_of_different_industries_differ(a: str, b: str) -> None:
    one, other = (normalize(ACCOUNT, "industry", label) for label in (a, b))
    assert not is_equivalent(ACCOUNT, "industry", one, other)
    assert not is_equivalent(ACCOUNT, "industry", other, one)
    assert not is_equivalent(ACCOUNT, "subIndustry", one, other)


@pytest.mark.parametrize("vague", ["Technology", "B2B", "Services", "Tech", "Business services group", "Solutions"])
def test_a_label_that_says_too_little_is_told_from_those_that_say_something(vague: str) -> None:
    assert is_vague_label(vague) is (vague != "Business services group")
    assert (industries_of(vague) == frozenset()) is is_vague_label(vague)
    assert same_industry(vague, vague.upper())


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        ("COMPUTER_SOFTWARE", "Computer Software"),
        ("REAL ESTATE", "Real Estate"),
        ("Oil_Gas", "Oil Gas"),
        ("computer software", "computer software"),
        ("Other", None),
        ("???", None),
        ("  ", None),
    ],
)
def test_a_label_is_kept_as_it_is_written(raw: str, label: str | None) -> None:
    assert canonical_industry(raw) == label


def test_a_key_is_shared_by_the_labels_of_one_industry() -> None:
    assert industry_key("Computer Software") == industry_key("software industry") == industry_key("Softwareentwicklung")
    assert industry_key("Banks") != industry_key("Insurance")
    assert industry_key("financial services") != industry_key("Banks")
    assert industry_key("Underwater Basket Weaving") == industry_key("underwater basket-weaving")


def test_the_vocabulary_is_one_tree_without_loops_and_without_empty_industries() -> None:
    known = tree()
    labelled = frozenset().union(*known.labels.values())
    assert labelled == known.above.keys()
    assert len(known.labels) > 3000
    assert len(labelled) > 250
    for industry, above in known.above.items():
        assert industry in above
        assert all(industry not in known.above[other] for other in above - {industry})


LINKEDIN = """
Accounting | Airlines/Aviation | Alternative Dispute Resolution | Alternative Medicine | Animation | Apparel & Fashion
Architecture & Planning | Arts and Crafts | Automotive | Aviation & Aerospace | Banking | Biotechnology
Broadcast Media | Building Materials | Business Supplies and Equipment | Capital Markets | Chemicals
Civic & Social Organization | Civil Engineering | Commercial Real Estate | Computer & Network Security
Computer Games | Computer Hardware | Computer Networking | Computer Software | Construction | Consumer Electronics
Consumer Goods | Consumer Services | Cosmetics | Dairy | Defense & Space | Design | Education Management | E-Learning
Electrical/Electronic Manufacturing | Entertainment | Environmental Services | Events Services | Executive Office
Facilities Services | Farming | Financial Services | Fine Art | Fishery | Food & Beverages | Food Production
Fund-Raising | Furniture | Gambling & Casinos | Glass, Ceramics & Concrete | Government Administration
Government Relations | Graphic Design | Health, Wellness and Fitness | Higher Education | Hospital & Health Care
Hospitality | Human Resources | Import and Export | Individual & Family Services | Industrial Automation
Information Services | Information Technology and Services | Insurance | International Affairs
International Trade and Development | Internet | Investment Banking | Investment Management | Judiciary
Law Enforcement | Law Practice | Legal Services | Legislative Office | Leisure, Travel & Tourism | Libraries
Logistics and Supply Chain | Luxury Goods & Jewelry | Machinery | Management Consulting | Maritime | Market Research
Marketing and Advertising | Mechanical or Industrial Engineering | Media Production | Medical Devices
Medical Practice | Mental Health Care | Military | Mining & Metals | Motion Pictures and Film
Museums and Institutions | Music | Nanotechnology | Newspapers | Non-Profit Organization Management | Oil & Energy
Online Media | Outsourcing/Offshoring | Package/Freight Delivery | Packaging and Containers | Paper & Forest Products
Performing Arts | Pharmaceuticals | Philanthropy | Photography | Plastics | Political Organization
Primary/Secondary Education | Printing | Professional Training & Coaching | Program Development | Public Policy
Public Relations and Communications | Public Safety | Publishing | Railroad Manufacture | Ranching | Real Estate
Recreational Facilities and Services | Religious Institutions | Renewables & Environment | Research | Restaurants
Retail | Security and Investigations | Semiconductors | Shipbuilding | Sporting Goods | Sports
Staffing and Recruiting | Supermarkets | Telecommunications | Textiles | Think Tanks | Tobacco
Translation and Localization | Transportation/Trucking/Railroad | Utilities | Venture Capital & Private Equity
Veterinary | Warehousing | Wholesale | Wine and Spirits | Wireless | Writing and Editing
"""


def test_every_label_of_linkedins_list_is_understood() -> None:
    labels = [label.strip() for line in LINKEDIN.strip().split("\n") for label in line.split(" | ")]
    assert len(labels) == 147
    assert [label for label in labels if not industries_of(label)] == []


LABELS = st.sampled_from(sorted(tree().labels)) | st.text(max_size=40)


@given(LABELS, LABELS)
def test_sameness_is_mutual_and_agrees_with_the_key(a: str, b: str) -> None:
    assert same_industry(a, a)
    assert same_industry(a, b) == same_industry(b, a)
    if industry_key(a) == industry_key(b) and (industries_of(a) or plain_words(a)):
        assert same_industry(a, b)


@given(LABELS)
def test_a_label_keeps_its_meaning_in_any_case_and_has_a_short_key(label: str) -> None:
    assert same_industry(label, label.upper()) or label.lower() != label.upper().lower()
    assert len(value_key(ACCOUNT, "industry", label)) <= 64
