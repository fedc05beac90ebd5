"""The levels of GICS: each label is one with those above it, and differs from its neighbours on every level."""

from itertools import combinations

import pytest

from enrichment.normalize.industry.industry import same_industry

# Sector; then group: industry: sub-industries, apart by "|".
GICS = """
Energy
Energy: Energy Equipment & Services: Oil & Gas Drilling | Oil & Gas Equipment & Services
Energy: Oil, Gas & Consumable Fuels: Integrated Oil & Gas | Oil & Gas Exploration & Production
| Oil & Gas Refining & Marketing | Oil & Gas Storage & Transportation | Coal & Consumable Fuels
Materials
Materials: Chemicals: Commodity Chemicals | Diversified Chemicals | Fertilizers & Agricultural Chemicals
| Industrial Gases | Specialty Chemicals
Materials: Construction Materials:
Materials: Containers & Packaging: Metal, Glass & Plastic Containers
| Paper & Plastic Packaging Products & Materials
Materials: Metals & Mining: Aluminum | Diversified Metals & Mining | Copper | Gold | Precious Metals & Minerals
| Silver | Steel
Materials: Paper & Forest Products: Forest Products | Paper Products
Industrials
Capital Goods: Aerospace & Defense:
Capital Goods: Building Products:
Capital Goods: Construction & Engineering:
Capital Goods: Electrical Equipment: Electrical Components & Equipment | Heavy Electrical Equipment
Capital Goods: Industrial Conglomerates:
Capital Goods: Machinery: Construction Machinery & Heavy Transportation Equipment | Agricultural & Farm Machinery
| Industrial Machinery & Supplies & Components
Capital Goods: Trading Companies & Distributors:
Commercial & Professional Services: Commercial Services & Supplies: Commercial Printing
| Environmental & Facilities Services | Office Services & Supplies | Diversified Support Services
| Security & Alarm Services
Commercial & Professional Services: Professional Services: Human Resource & Employment Services
| Research & Consulting Services | Data Processing & Outsourced Services
Transportation: Air Freight & Logistics:
Transportation: Passenger Airlines:
Transportation: Marine Transportation:
Transportation: Ground Transportation: Rail Transportation | Cargo Ground Transportation
| Passenger Ground Transportation
Transportation: Transportation Infrastructure: Airport Services | Highways & Railtracks | Marine Ports & Services
Consumer Discretionary
Automobiles & Components: Automobile Components: Automotive Parts & Equipment | Tires & Rubber
Automobiles & Components: Automobiles: Automobile Manufacturers | Motorcycle Manufacturers
Consumer Durables & Apparel: Household Durables: Consumer Electronics | Home Furnishings | Homebuilding
| Household Appliances | Housewares & Specialties
Consumer Durables & Apparel: Leisure Products:
Consumer Durables & Apparel: Textiles, Apparel & Luxury Goods: Apparel, Accessories & Luxury Goods | Footwear
| Textiles
Consumer Services: Hotels, Restaurants & Leisure: Casinos & Gaming | Hotels, Resorts & Cruise Lines
| Leisure Facilities | Restaurants
Consumer Services: Diversified Consumer Services: Education Services | Specialized Consumer Services
Consumer Discretionary Distribution & Retail: Distributors:
Consumer Discretionary Distribution & Retail: Broadline Retail:
Consumer Discretionary Distribution & Retail: Specialty Retail: Apparel Retail | Computer & Electronics Retail
| Home Improvement Retail | Other Specialty Retail | Automotive Retail | Homefurnishing Retail
Consumer Staples
Consumer Staples Distribution & Retail: Food & Staples Retailing: Drug Retail | Food Distributors | Food Retail
| Consumer Staples Merchandise Retail
Food, Beverage & Tobacco: Beverages: Brewers | Distillers & Vintners | Soft Drinks & Non-alcoholic Beverages
Food, Beverage & Tobacco: Food Products: Packaged Foods & Meats
Food, Beverage & Tobacco: Tobacco:
Household & Personal Products: Household Products:
Household & Personal Products: Personal Care Products:
Health Care
Health Care Equipment & Services: Health Care Equipment & Supplies: Health Care Equipment | Health Care Supplies
Health Care Equipment & Services: Health Care Providers & Services: Health Care Distributors | Health Care Services
| Health Care Facilities | Managed Health Care
Health Care Equipment & Services: Health Care Technology:
Pharmaceuticals, Biotechnology & Life Sciences: Biotechnology:
Pharmaceuticals, Biotechnology & Life Sciences: Pharmaceuticals:
Pharmaceuticals, Biotechnology & Life Sciences: Life Sciences Tools & Services:
Financials
Banks: Banks: Diversified Banks | Regional Banks
Financial Services: Consumer Finance:
Financial Services: Capital Markets: Asset Management & Custody Banks | Investment Banking & Brokerage
| Financial Exchanges & Data
Insurance: Insurance: Insurance Brokers | Life & Health Insurance | Multi-line Insurance
| Property & Casualty Insurance | Reinsurance
Information Technology
Software & Services: IT Services: IT Consulting & Other Services | Internet Services & Infrastructure
Software & Services: Software: Application Software | Systems Software
Technology Hardware & Equipment: Communications Equipment:
Technology Hardware & Equipment: Technology Hardware, Storage & Peripherals:
Technology Hardware & Equipment: Electronic Equipment, Instruments & Components: Electronic Equipment & Instruments
| Electronic Components | Electronic Manufacturing Services | Technology Distributors
Semiconductors & Semiconductor Equipment: Semiconductors & Semiconductor Equipment: Semiconductor Materials & Equipment
| Semiconductors
Communication Services
Telecommunication Services: Diversified Telecommunication Services: Alternative Carriers
| Integrated Telecommunication Services
Media & Entertainment: Media: Advertising | Broadcasting | Cable & Satellite | Publishing
Media & Entertainment: Entertainment: Movies & Entertainment | Interactive Home Entertainment
Media & Entertainment: Interactive Media & Services:
Utilities
Utilities: Electric Utilities:
Utilities: Gas Utilities:
Utilities: Water Utilities:
Utilities: Independent Power and Renewable Electricity Producers: Renewable Electricity
| Independent Power Producers & Energy Traders
Real Estate
Real Estate: Equity Real Estate Investment Trusts (REITs): Industrial REITs | Hotel & Resort REITs | Office REITs
| Health Care REITs | Retail REITs | Self-Storage REITs | Telecom Tower REITs | Timber REITs | Data Center REITs
Real Estate: Real Estate Management & Development: Real Estate Development | Real Estate Services
"""


def levels() -> list[tuple[str, str, str, list[str]]]:
    """Sector, group, industry and its sub-industries."""
    found: list[tuple[str, str, str, list[str]]] = []
    sector = ""
    for line in GICS.strip().replace("\n|", " |").split("\n"):
        if ":" not in line:
            sector = line
            continue
        group, industry, subs = (part.strip() for part in line.split(":"))
        found.append((sector, group, industry, [sub.strip() for sub in subs.split("|") if sub.strip()]))
    return found


INDUSTRIES = [industry for _, _, industry, _ in levels()]
SECTORS = list(dict.fromkeys(sector for sector, *_ in levels()))
# Names that cover, in everyone's words, what GICS lists beside them.
WIDE = {
    *("Diversified Chemicals", "Diversified Metals & Mining", "Integrated Oil & Gas", "Precious Metals & Minerals"),
    "Semiconductors",
}
# What one system counts here and another, or an earlier year of the same, there.
IN_BOTH = {
    ("Paper Products", "Household Products"),
    ("Data Processing & Outsourced Services", "IT Services"),
    ("Homebuilding", "Construction & Engineering"),
    ("Cable & Satellite", "Diversified Telecommunication Services"),
    ("Electric Utilities", "Energy"),
    ("Gas Utilities", "Energy"),
    ("Independent Power and Renewable Electricity Producers", "Energy"),
}


@pytest.mark.parametrize(("sector", "group", "industry", "subs"), levels(), ids=INDUSTRIES)
def test_a_label_is_one_with_those_above_it(sector: str, group: str, industry: str, subs: list[str]) -> None:
    above = [sector, group, industry]
    for label in (industry, *subs):
        assert [wide for wide in above if not same_industry(label, wide)] == []


def test_two_industries_differ() -> None:
    assert [pair for pair in combinations(INDUSTRIES, 2) if same_industry(*pair)] == []


def test_two_sectors_differ() -> None:
    assert [pair for pair in combinations(SECTORS, 2) if same_industry(*pair)] == []


def test_two_parts_of_an_industry_differ() -> None:
    pairs = [pair for _, _, _, subs in levels() for pair in combinations(subs, 2) if not WIDE & set(pair)]
    assert len(pairs) > 150
    assert [pair for pair in pairs if same_industry(*pair)] == []


def test_a_part_of_an_industry_differs_from_every_other_industry() -> None:
    wrong = [
        (sub, other)
        for _, _, industry, subs in levels()
        for sub in subs
        for other in INDUSTRIES
        if other != industry and same_industry(sub, other)
    ]
    assert [pair for pair in wrong if pair not in IN_BOTH] == []


def test_an_industry_differs_from_the_sectors_it_is_not_of() -> None:
    wrong = [
        (industry, other)
        for sector, _, industry, _ in levels()
        for other in SECTORS
        if other != sector and same_industry(industry, other)
    ]
    assert [pair for pair in wrong if pair not in IN_BOTH] == []
