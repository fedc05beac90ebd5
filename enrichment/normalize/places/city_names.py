"""Well-known cities under their local, older and short names, folded; the first of each line is the key."""

_LINES = """
aachen|aix la chapelle|aken
abu dhabi|abu zabi
addis ababa|addis abeba
alexandria|al iskandariyya
algiers|alger
antwerp|antwerpen|anvers
athens|athina|athinai|\u03b1\u03b8\u03b7\u03bd\u03b1
bangkok|krung thep|krung thep maha nakhon|\u0e01\u0e23\u0e38\u0e07\u0e40\u0e17\u0e1e\u0e2f
basel|basle|bale
beijing|peking|pekin|pequim|\u5317\u4eac|\u5317\u4eac\u5e02
belgrade|beograd|belgrad
bengaluru|bangalore
bern|berne|berna
bogota|bogota d c|santa fe de bogota
bratislava|pressburg
braunschweig|brunswick
bruges|brugge
brussels|bruxelles|brussel|brussel bruxelles|bruxelles brussel|brussels capital
bucharest|bucuresti
busan|pusan|\ubd80\uc0b0
cairo|al qahirah|le caire
cape town|kaapstad
chennai|madras
chongqing|chungking|\u91cd\u5e86
cologne|koln|keulen
copenhagen|kobenhavn|kopenhagen|kjobenhavn|copenhague
cordoba|cordova
dalian|\u5927\u8fde
damascus|dimashq
delhi|dilli
florence|firenze|florenz
frankfurt oder|frankfurt an der oder|frankfurt o|frankfurt a d oder
frankfurt|frankfurt am main|frankfurt a m|frankfurt main|francfort|francfort sur le main
freiburg|freiburg im breisgau|freiburg i br|freiburg br
fukuoka|\u798f\u5ca1|\u798f\u5ca1\u5e02
gdansk|danzig
geneva|geneve|genf|ginevra|ginebra
genoa|genova|genua
ghent|gent|gand
gothenburg|goteborg|gotenburg
guangzhou|canton|\u5e7f\u5dde|\u5ee3\u5dde
gurugram|gurgaon
halle|halle saale|halle an der saale
hamburg|hambourg|hansestadt hamburg|freie und hansestadt hamburg
hanover|hannover
hangzhou|\u676d\u5dde
hanoi|ha noi
havana|la habana|habana
heidelberg|heidelberg am neckar
helsinki|helsingfors
ho chi minh city|saigon|thanh pho ho chi minh|hcmc|ho chi minh
hong kong|hongkong|xianggang|\u9999\u6e2f
hyderabad|haidarabad
hull|kingston upon hull
iasi|jassy
istanbul|konstantinopel|constantinople
jakarta|djakarta|dki jakarta|jakarta raya
jerusalem|yerushalayim
johannesburg|joburg|jozi
kaohsiung|\u9ad8\u96c4
kobe|\u795e\u6238|\u795e\u6238\u5e02
kolkata|calcutta
kosice|kaschau
krakow|cracow|krakau|cracovia
kuala lumpur|kl
kyiv|kiev|kiew|\u043a\u0438\u0457\u0432|\u043a\u0438\u0435\u0432
kyoto|\u4eac\u90fd|\u4eac\u90fd\u5e02
la coruna|a coruna|corunna
las vegas|vegas
leipzig|lipsia
leuven|louvain|lowen
liege|luik|luttich
lille|rijsel
lisbon|lisboa|lissabon|lisbonne
limburg|limburg an der lahn
ljubljana|laibach
lodz|lodsch
london|londres|londra|londen|greater london|city of london
los angeles|la|l a|los angeles ca
lucerne|luzern|lucerna
luxembourg|luxembourg city|luxemburg|ville de luxembourg|luxemburg stadt|letzebuerg
lviv|lvov|lwow|lemberg
ludwigshafen|ludwigshafen am rhein
lyon|lyons
madrid|madrid capital
mainz|mayence
malaga|malaca
manila|maynila
marseille|marseilles
mechelen|malines
mexico city|ciudad de mexico|cdmx|mexico df|mexico d f|mexiko stadt|cidade do mexico
milan|milano|mailand
minsk|mensk
monaco|monaco ville|monte carlo|montecarlo
montreal|montreal quebec
moscow|moskva|moskau|moscou|mosca|\u043c\u043e\u0441\u043a\u0432\u0430
mulheim|mulheim an der ruhr
mumbai|bombay
munich|munchen|monaco di baviera
nagoya|\u540d\u53e4\u5c4b|\u540d\u53e4\u5c4b\u5e02
nanjing|nanking|\u5357\u4eac
naples|napoli|neapel
new delhi|nueva delhi
new york|new york city|nyc|n y c|new york ny|ny|nueva york|city of new york
newcastle|newcastle upon tyne
nice|nizza
nicosia|lefkosia
nuremberg|nurnberg|norimberga
osaka|\u5927\u962a|\u5927\u962a\u5e02
offenbach|offenbach am main
oslo|kristiania
ostend|oostende
padua|padova
palma|palma de mallorca
paris|parigi|parijs
philadelphia|philly
phnom penh|pnom penh
pilsen|plzen
porto|oporto
poznan|posen
prague|praha|prag|praga
pune|poona
qingdao|tsingtao|\u9752\u5c9b
quebec|quebec city|ville de quebec
regensburg|ratisbon
reykjavik|reykjavikurborg
riga|riga city
rio de janeiro|rio
rome|roma|rom
saint gallen|saint gall|saint galle
saint petersburg|sankt peterburg|leningrad
salzburg|salisburgo
san francisco|sf|s f|san fran|frisco
san jose|san jose ca
santiago|santiago de chile
sao paulo|san pablo
sapporo|\u672d\u5e4c|\u672d\u5e4c\u5e02
seoul|soul|\uc11c\uc6b8|\uc11c\uc6b8\ud2b9\ubcc4\uc2dc
seville|sevilla
shanghai|\u4e0a\u6d77|\u4e0a\u6d77\u5e02
shenyang|mukden
shenzhen|\u6df1\u5733|\u6df1\u5733\u5e02
singapore|singapur|singapura|\u65b0\u52a0\u5761
sofia|sofija|\u0441\u043e\u0444\u0438\u044f
stuttgart|stoccarda
strasbourg|strassburg
suzhou|\u82cf\u5dde
stoke|stoke on trent
szczecin|stettin
taichung|taichung city|\u53f0\u4e2d
tainan|\u53f0\u5357
taipei|taibei|taipeh|taipei city|\u53f0\u5317|\u81fa\u5317
tallinn|reval
tel aviv|tel aviv yafo|tel aviv jaffa
the hague|den haag|s gravenhage|gravenhage|la haye|la haya|haag
thessaloniki|saloniki|salonica
tianjin|tientsin|\u5929\u6d25
tokyo|tokio|\u6771\u4eac|\u6771\u4eac\u90fd|tokyo to
trento|trient
esslingen|esslingen am neckar
trieste|triest
turin|torino
turku|abo
utrecht|utrecht stad
valencia|valencia spain
venice|venezia|venedig|venise
vienna|wien|vienne|viena
vilnius|wilna|vilna
warsaw|warszawa|warschau|varsovie|varsovia
washington|washington dc|washington d c|dc|d c
wroclaw|breslau
wuhan|\u6b66\u6c49
xiamen|amoy|\u53a6\u95e8
xi an|xian|\u897f\u5b89
yangon|rangoon
yokohama|\u6a2a\u6d5c|\u6a2a\u6d5c\u5e02
zaragoza|saragossa|saragosse
zagreb|agram
zurich|zuerich|zurigo
"""


def _table() -> dict[str, str]:
    table: dict[str, str] = {}
    for line in _LINES.split("\n"):
        key, *others = line.split("|")
        for name in others:
            table[name] = key
    return table


ALIASES = _table()

# How a shortened name is written out; others keep the name that they were given.
WRITTEN_OUT = {
    "nyc": "New York",
    "n y c": "New York",
    "sf": "San Francisco",
    "s f": "San Francisco",
    "san fran": "San Francisco",
    "l a": "Los Angeles",
    "la": "Los Angeles",
    "dc": "Washington",
    "d c": "Washington",
    "hcmc": "Ho Chi Minh City",
    "cdmx": "Mexico City",
    "philly": "Philadelphia",
}

_PART_LINES = """
new york: manhattan|brooklyn|queens|bronx|the bronx|staten island
delhi: new delhi|south delhi
london: canary wharf|city of westminster|south kensington|mayfair|shoreditch|docklands
tokyo: minato ku|chiyoda ku|shibuya ku|shinjuku ku|chuo ku|shinagawa ku|koto ku|meguro ku|ota ku|toshima ku|setagaya ku
tokyo: minato|chiyoda|shibuya|shinjuku|shinagawa|roppongi|ginza|marunouchi|akihabara
paris: la defense|paris la defense
hong kong: kowloon|wan chai|central hong kong|sheung wan|tsim sha tsui|causeway bay|kwun tong|quarry bay|new territories
seoul: gangnam|gangnam gu|mapo gu|jung gu|yeongdeungpo gu|seocho gu|jongno gu
beijing: haidian|haidian district|chaoyang district|xicheng|dongcheng
shanghai: pudong|pudong new area
shenzhen: nanshan district|futian|futian district
mumbai: bandra|andheri|lower parel|powai|worli
bengaluru: whitefield|koramangala|electronic city
gurugram: cyber city|dlf cyber city
istanbul: sisli|levent|umraniye|besiktas|kadikoy|maslak
toronto: north york|etobicoke
sydney: sydney cbd|barangaroo
melbourne: melbourne cbd|southbank
rio de janeiro: barra da tijuca|botafogo|copacabana
los angeles: century city|playa vista|woodland hills|sherman oaks
manila: metro manila
"""
# The parts of a city that are given in its place.
PARTS: dict[str, list[str]] = {}
for _line in _PART_LINES.strip().split("\n"):
    _city, _, _parts = _line.partition(": ")
    PARTS.setdefault(_city, []).extend(_parts.split("|"))
_BIG_LINES = """
berlin|hamburg|munich|cologne|frankfurt|stuttgart|dusseldorf|leipzig|dortmund|essen|bremen|dresden|hanover|nuremberg
duisburg|bochum|wuppertal|bielefeld|bonn|munster|mannheim|karlsruhe|augsburg|wiesbaden|vienna|graz|linz|salzburg|basel
zurich|bern|paris|london|milan|madrid|barcelona|lisbon|brussels|antwerp|amsterdam|rotterdam|copenhagen|warsaw|prague
"""
# Where a hyphen parts the city from one of its quarters: `Berlin-Mitte`.
BIG = _BIG_LINES.strip().replace("\n", "|").split("|")
