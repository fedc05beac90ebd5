"""Names of countries that ISO 3166 and CLDR do not list, folded."""

# Names that ISO and CLDR put otherwise than a CRM does.
SHORT_NAMES = {
    "CD": "Democratic Republic of the Congo",
    "CG": "Congo",
    "HK": "Hong Kong",
    "MM": "Myanmar",
    "MO": "Macao",
    "PS": "Palestine",
    "XK": "Kosovo",
}

_LINES = """
AE uae|u a e|emirates|the united arab emirates
BA bosnia
BG bul
BN brunei
BO bolivia
BR bra
CD dr congo|drc|congo kinshasa|democratic republic of congo
CG republic of the congo|congo brazzaville
CH sui|swiss|swiss confederation|suiza
CI ivory coast|cote d ivoire
CN prc|p r c|people s republic of china|peoples republic of china|mainland china|p r china|pr china
CV cape verde
CZ czech republic|the czech republic|czech
DE ger|brd|federal republic of germany|bundesrepublik deutschland
DK den
ES esp
GB uk|u k|gb|g b|great britain|britain|england|scotland|wales|northern ireland|gbr|the united kingdom|the uk
GR gre|hellas
HK \u9999\u6e2f|hong kong sar|hongkong|hong kong sar china|hong kong china
HR cro
IE eire|republic of ireland|irl|ireland republic of|rep of ireland
IR iran|islamic republic of iran
KP north korea|dprk|korea north
KR korea|republic of korea|korea south|rok|s korea|the republic of korea
LA laos
MD moldova
MK macedonia|fyrom|republic of north macedonia
MM burma
MO \u6fb3\u95e8|\u6fb3\u9580|macau|macau sar|macao sar china
MX mejico
NL holland|the netherlands|hol|ned
NZ n z|aotearoa
PH the philippines
PS palestinian territories|state of palestine
PT por
RU russian federation|the russian federation|rossija
SA ksa|kingdom of saudi arabia|saudi
SG republic of singapore
SK slovak republic
SY syria
SZ swaziland
TR turkey|turkiye
TT trinidad
TW taiwan roc|republic of china|taiwan r o c|chinese taipei|taiwan china|r o c
TZ tanzania
US usa|u s a|u s|united states of america|the united states|the united states of america|america|the usa
US the us|us of a|estados unidos de america|eeuu|ee uu|etats unis d amerique|stati uniti d america
US vereinigte staaten von amerika
VA vatican|vatican city|holy see
VE venezuela
VG virgin islands british
VI virgin islands u s|us virgin islands
VN viet nam|socialist republic of vietnam
ZA rsa|s africa
"""
ALIASES = {alias: line[:2] for line in _LINES.strip().splitlines() for alias in line[3:].split("|")}

_LANGUAGES = """
de fr es it pt nl da sv nb fi is pl cs sk hu sl hr sr ro bg el tr ru uk et lv lt ja zh zh_Hant ko th vi id ms ar he fa
hi bn ta ca eu gl ga cy sq mk bs be ka hy az kk uz mn sw af fil
"""
# The languages whose names of countries are understood.
LANGUAGES = tuple(_LANGUAGES.split())
