"""Countries, states, cities and streets: which spellings are one place, and which are two."""

import pytest

from enrichment.enums import EntityType
from tests.support.same_values import check_different, check_same, rows

ACCOUNT = EntityType.ACCOUNT

SAME = {
    "country": """
US | United States
USA | United States of America
U.S.A. | us
united states of america | America
GB | UK
England | United Kingdom
Great Britain | GBR
Scotland | United Kingdom of Great Britain and Northern Ireland
DE | Germany
Deutschland | GER
Allemagne | Federal Republic of Germany
Alemania | Germania
CH | Schweiz
Suisse | Switzerland
NL | Holland
The Netherlands | Nederland
KR | South Korea
Korea, Republic of | Republic of Korea
CZ | Czech Republic
Czechia | \u010cesko
TR | T\u00fcrkiye
Turkey | turkiye
CI | Ivory Coast
C\u00f4te d'Ivoire | cote d ivoire
RU | Russian Federation
\u65e5\u672c | Japan
\u4e2d\u56fd | People's Republic of China
Espa\u00f1a | ES
Brasil | BRA
\u00d6sterreich | Autriche
Hong Kong SAR | HK
Vi\u1ec7t Nam | Vietnam
UAE | Vereinigte Arabische Emirate
Macedonia | North Macedonia
Swaziland | Eswatini
Burma | Myanmar
\u0420\u043e\u0441\u0441\u0438\u044f | Russia
\u0395\u03bb\u03bb\u03ac\u03b4\u03b1 | Greece
""",
    "state": """
CA @ United States | California @ United States
calif. @ United States | California @ United States
N.Y. @ United States | New York @ United States
NEW YORK @ United States | ny @ United States
Washington DC @ United States | District of Columbia @ United States
ON @ Canada | Ontario @ Canada
QC @ Canada | Qu\u00e9bec @ Canada
NSW @ Australia | New South Wales @ Australia
Bavaria @ Germany | Bayern @ Germany
BY @ Germany | Freistaat Bayern @ Germany
NRW @ Germany | North Rhine-Westphalia @ Germany
Baden-W\u00fcrttemberg @ Germany | Baden-Wuerttemberg @ Germany
Baden-Wurttemberg @ Germany | BW @ Germany
Lombardia @ Italy | Lombardy @ Italy
Catalunya @ Spain | Catalonia @ Spain
Catalu\u00f1a @ Spain | Catalunya @ Spain
SP @ Brazil | S\u00e3o Paulo @ Brazil
\u00cele-de-France @ France | Ile de France @ France
Z\u00fcrich @ Switzerland | Zurich @ Switzerland
Canton of Zurich @ Switzerland | ZH @ Switzerland
Sicily @ Italy | Sicilia @ Italy
MH @ India | Maharashtra @ India
Orissa @ India | Odisha @ India
Tokyo @ Japan | T\u014dky\u014d @ Japan
CA | California
TX | Texas @ United States
State of California @ United States | California @ United States
California (CA) @ United States | California @ United States
BY | Bavaria @ Germany
""",
    "city": """
St. Louis | Saint Louis
St Louis | ST. LOUIS
Sankt Gallen | St. Gallen
St-Denis | Saint-Denis
Ste. Foy | Sainte-Foy
Ft. Worth | Fort Worth
Mt. Pleasant | Mount Pleasant
NYC | New York
New York City | New York, NY
Brooklyn | New York
Manhattan | New York City
Queens, NY | New York
SF | San Francisco
L.A. | Los Angeles
D.C. | Washington
Washington, D.C. | Washington
M\u00fcnchen | Munich
MUNCHEN | M\u00fcnchen
Muenchen | Munich
K\u00f6ln | Cologne
Koeln | K\u00f6ln
D\u00fcsseldorf | Duesseldorf
Z\u00fcrich | Zurich
Gen\u00e8ve | Geneva
Genf | Geneva
Wien | Vienna
Bruxelles | Brussels
Brussel | BRUXELLES
Praha | Prague
K\u00f8benhavn | Copenhagen
G\u00f6teborg | Gothenburg
Malm\u00f6 | Malmo
\u00c5rhus | Aarhus
S\u00e3o Paulo | Sao Paulo
Bogot\u00e1 | Bogota, D.C.
M\u00e9xico D.F. | Ciudad de M\u00e9xico
\u6771\u4eac | Tokyo
\u5317\u4eac | Beijing
Kiev | Kyiv
Bombay | Mumbai
Bangalore | Bengaluru
Saigon | Ho Chi Minh City
\u0141\u00f3d\u017a | Lodz
Krak\u00f3w | Cracow
Frankfurt | Frankfurt am Main
Frankfurt/Main | Frankfurt a.M.
Den Haag | The Hague
Antwerpen | Antwerp
Milano | Milan
Firenze | Florence
Lisboa | Lisbon
Sevilla | Seville
Montr\u00e9al | Montreal
Qu\u00e9bec | Quebec City
Paris 08 | Paris
Paris Cedex 16 | PARIS
75008 Paris | Paris
Lyon 3e | Lyon
Dublin 2 | Dublin
London EC2 | London
City of London | London
Greater London | London
Berlin-Mitte | Berlin
10117 Berlin | Berlin
111 57 Stockholm | Stockholm
1012 AB Amsterdam | Amsterdam
BC Leeuwarden | Leeuwarden
GC UTRECHT | Utrecht
3100 St. P\u00f6lten | Sankt P\u00f6lten
SW1A 1AA London | London
London SW1A 1AA | London
Tokyo 100-0001 | Tokyo
Kolkata 700001 | Kolkata
Prague 4 | Praha
Minato-ku, Tokyo | Tokyo
Chiyoda-ku | Tokyo
Winston Salem | Winston-Salem
LaGrange | La Grange
Mc Lean | McLean
Springfield, IL | Springfield
Portland (Oregon) | Portland
Coeur d'Alene | Coeur d\u2019Alene
O\u2019Fallon | O'Fallon
Tel Aviv-Yafo | Tel Aviv
New Delhi | Delhi
Neuilly sur Seine | NEUILLY-SUR-SEINE
Boulogne Billancourt | Boulogne-Billancourt
Rothenburg o.d. Tauber | Rothenburg ob der Tauber
Halle (Saale) | Halle
Freiburg i. Br. | Freiburg im Breisgau
Freiburg | Freiburg im Breisgau
Offenbach am Main | Offenbach
Newcastle upon Tyne | Newcastle
Newcastle-upon-Tyne | Newcastle upon Tyne
Stoke on Trent | Stoke-on-Trent
Kuala Lumpur | KL
""",
    "street": """
1 Main St. | 1 Main Street
1 Main St, Suite 200 | 1 Main Street, Ste 200
100 N. 5th Ave | 100 North 5th Avenue
Hauptstr. 5 | Hauptstra\u00dfe 5
Hauptstrasse 5 | HAUPTSTR. 5
10 Downing Street | 10, Downing Street
5 Park Blvd | 5 Park Boulevard
""",
    "postalCode": """
SW1A 1AA | sw1a1aa
94105-1234 | 94105
02139 | 2139 @ United States
D-80331 | 80331
1010 AB | 1010AB
""",
}
DIFFERENT = {
    "country": """
Austria | Australia
Niger | Nigeria
Slovakia | Slovenia
US | GB
South Korea | North Korea
Congo | Democratic Republic of the Congo
Dominica | Dominican Republic
Guinea | Equatorial Guinea
Hong Kong | China
Ireland | United Kingdom
""",
    "state": """
CA @ United States | CO @ United States
Washington @ United States | District of Columbia @ United States
North Carolina @ United States | South Carolina @ United States
Virginia @ United States | West Virginia @ United States
Bayern @ Germany | Hessen @ Germany
Sachsen @ Germany | Sachsen-Anhalt @ Germany
Niedersachsen @ Germany | Sachsen @ Germany
New South Wales @ Australia | Victoria @ Australia
""",
    "city": """
Dublin | Galway
Paris | London
San Jose | San Juan
Saint Louis | Saint Paul
Springfield | Hartford
Portland | Poland
New York | Newark
Westminster | Broomfield
Dallas | Irving
Cambridge | Oxford
Santa Clara | Santa Cruz
North Vancouver | Vancouver
East Lansing | Lansing
Fort Worth | Fort Wayne
Mount Pleasant | Pleasanton
Frankfurt am Main | Frankfurt (Oder)
LA Crosse | Crosse
Brooklyn | Queens
Berlin-Mitte | Berlin-Wedding
Brooklyn | Brookline
Stratford-upon-Avon | Stratford
Berlin | Bern
Vienna | Venice
Kansas City | Kansas
Palo Alto | Austin
Stockholm | Solna
""",
    "street": """
1 Main Street | 2 Main Street
1 Main Street | 1 Main Avenue
1 Main Street, Suite 200 | 1 Main Street, Suite 300
100 North 5th Avenue | 100 South 5th Avenue
""",
    "postalCode": """
94105 | 94106
SW1A 1AA | SW1A 2AA
""",
}


def of_each(tables: dict[str, str]) -> list[tuple[str, str, str]]:
    return [(field, one, other) for field, table in tables.items() for one, other in rows(table)]


@pytest.mark.parametrize(("field", "one", "other"), of_each(SAME))
def test_one_place_in_two_spellings(field: str, one: str, other: str) -> None:
    check_same(ACCOUNT, field, one, other)
    check_same(EntityType.CONTACT, field, one, other)


@pytest.mark.parametrize(("field", "one", "other"), of_each(DIFFERENT))
def test_two_places(field: str, one: str, other: str) -> None:
    check_different(ACCOUNT, field, one, other)
