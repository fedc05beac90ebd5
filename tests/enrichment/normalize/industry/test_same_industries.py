"""Industries: which labels of different vocabularies mean one, and which differ."""

import pytest

from enrichment.catalogue import is_equivalent, normalize
from enrichment.enums import EntityType

ACCOUNT = EntityType.ACCOUNT

# One industry as two vocabularies name it, or a part of it as the more precise of them does.
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
