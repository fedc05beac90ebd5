"""States and provinces under their English, local and short names, folded."""

from enrichment.normalize.text.text import without_umlauts

_LINES = """
andalucia|andalusia
aragon|aragonia
asturias|principado de asturias
bayern|bavaria|baviere|baviera
bourgogne|burgundy
bretagne|brittany
canarias|canary islands|islas canarias
castilla la mancha|castile la mancha
castilla y leon|castile and leon
catalunya|catalonia|cataluna|catalogne
ciudad de mexico|mexico city|distrito federal|cdmx
corse|corsica
district of columbia|washington dc|washington d c|d c|dc
dolnoslaskie|lower silesia|lower silesian
euskadi|basque country|pais vasco|euskal herria
friesland|fryslan|frisia
geneve|geneva|genf
graubunden|grisons
hainaut|hainault
hessen|hesse
hokkaido|hokkaido
illes balears|balearic islands|islas baleares|baleares
karnten|carinthia
lombardia|lombardy
luzern|lucerne
malopolskie|lesser poland
mazowieckie|mazovia|masovian|masovia
mecklenburg vorpommern|mecklenburg western pomerania
moskva|moscow
navarra|navarre|comunidad foral de navarra
niederosterreich|lower austria
niedersachsen|lower saxony
noord brabant|north brabant
noord holland|north holland
nordrhein westfalen|north rhine westphalia|nrw
normandie|normandy
oberosterreich|upper austria
occitanie|occitania
odisha|orissa
oost vlaanderen|east flanders
piemonte|piedmont
provence alpes cote d azur|paca
puducherry|pondicherry
puglia|apulia
quebec|quebec
rheinland pfalz|rhineland palatinate
sachsen|saxony
sachsen anhalt|saxony anhalt
sardegna|sardinia
sicilia|sicily
skane|scania
slaskie|silesia|silesian
steiermark|styria
thuringen|thuringia
ticino|tessin
tirol|tyrol
toscana|tuscany
uttarakhand|uttaranchal
valais|wallis
valenciana|valencian community|comunidad valenciana|comunitat valenciana|valencia
vlaanderen|flanders
vlaams brabant|flemish brabant
wallonie|wallonia
west vlaanderen|west flanders
wielkopolskie|greater poland
wien|vienna
zuid holland|south holland
zurich|zuerich
"""


def _table() -> dict[str, str]:
    table: dict[str, str] = {}
    for line in _LINES.strip().split("\n"):
        key, *others = line.split("|")
        table.update(dict.fromkeys(others, key))
    return table


# What the English, the local and the short names of a state share.
LOCAL_NAMES = _table()
PLAIN_LOCAL_NAMES = {without_umlauts(name): key for name, key in LOCAL_NAMES.items()}

# Country, name, and how it is shortened otherwise than by its code.
SHORT_FORMS = """
US|Alabama|Ala
US|Arizona|Ariz
US|Arkansas|Ark
US|California|Calif|Cal
US|Colorado|Colo
US|Connecticut|Conn
US|Delaware|Del
US|District of Columbia|Washington DC|Washington D C|D C
US|Florida|Fla
US|Illinois|Ill
US|Indiana|Ind
US|Kansas|Kan|Kans
US|Massachusetts|Mass
US|Michigan|Mich
US|Minnesota|Minn
US|Mississippi|Miss
US|Montana|Mont
US|Nebraska|Neb|Nebr
US|Nevada|Nev
US|New Hampshire|N H
US|New Jersey|N J
US|New Mexico|N M|N Mex
US|New York|N Y|New York State
US|North Carolina|N C|N Carolina
US|North Dakota|N D|N Dak
US|Oklahoma|Okla
US|Oregon|Ore|Oreg
US|Pennsylvania|Penn|Penna
US|Rhode Island|R I
US|South Carolina|S C|S Carolina
US|South Dakota|S D|S Dak
US|Tennessee|Tenn
US|Texas|Tex
US|Vermont|Vt
US|Virginia|Va
US|Washington|Wash|Washington State
US|West Virginia|W Va
US|Wisconsin|Wis|Wisc
US|Wyoming|Wyo
CA|Ontario|Ont
CA|Quebec|Que|PQ
CA|British Columbia|B C
CA|Alberta|Alta
CA|Saskatchewan|Sask
CA|Manitoba|Man
CA|Newfoundland and Labrador|Nfld|Newfoundland
AU|New South Wales|N S W
AU|Victoria|Vic
AU|Queensland|Qld
AU|Tasmania|Tas
"""
