"""The legal forms that end (or begin) a company's name, as folded words."""

import re

from cleanco.termdata import terms_by_country, terms_by_type

from enrichment.normalize.text.text import fold

# Short words of the library's list that end ordinary names more often than they are a legal form there.
_AMBIGUOUS = frozenset(
    (word,)
    for word in (
        *("aat", "ad", "ae", "aj", "at", "ay", "ba", "bl", "cio", "cic", "cpt", "crl", "cxa", "da", "dat", "ec", "ee"),
        *("ei", "ent", "ep", "esv", "et", "etat", "fa", "fie", "fop", "gp", "ij", "ik", "iks", "kd", "kf", "kt", "mb"),
        *("nl", "nuf", "ok", "pp", "private", "ps", "pse", "psu", "qk", "sd", "sem", "sep", "ses", "sf", "sp", "ss"),
        *("stg", "tdv", "teo", "tmi", "ud", "uk", "vat", "xk", "xt", "xxk", "bt", "gie", "scop", "od", "peec", "fcp"),
        *("is", "eu", "ca", "gs", "sad", "sha", "ong", "sc"),
    )
)
_MORE = """
aktiengesellschaft
gesellschaft mit beschrankter haftung
gesellschaft mbh
ges mbh
gesmbh
mbh
ggmbh
gmbh co kgaa
ag co kgaa
ag co kg
se co kg
se co kgaa
ug
ug haftungsbeschrankt
kommanditgesellschaft
eingetragene genossenschaft
vvag
aor
kdor
k d o r
offene handelsgesellschaft
eg
ev
ek
e k
se
sa
sas
sl
slu
sau
sociedad anonima
sociedad limitada
societe anonyme
societe europeenne
societa per azioni
sociedade anonima
sa de cv
sab de cv
sapi de cv
s de rl
s de rl de cv
de cv
cv
bv
nv
naamloze vennootschap
besloten vennootschap
osakeyhtio
aktiebolag
aktiebolaget
aktieselskab
ab publ
publ
aksjeselskap
anonim sirketi
anonim ortakligi
sirketi
nyilvanosan mukodo reszvenytarsasag
reszvenytarsasag
spolka akcyjna
sp z oo
spolka z ograniczona odpowiedzialnoscia
sro
doo
dd
ad
jsc
pjsc
ojsc
cjsc
public joint stock company
joint stock company
public limited company
public company limited
public co
public
pcl
pcl public company
private limited
pvt
pvt ltd
private ltd
pty
pty limited
proprietary
proprietary limited
pte limited
limited liability company
limited liability partnership
limited partnership
lc
pc
pa
na
berhad
sdn berhad
tbk
persero
perseroan terbatas
kabushiki kaisha
kabushikigaisha
godo kaisha
kk
hldgs
spa
srl
sarl
snc
asbl
ltda
eireli
cia ltda
qsc
qpsc
psc
pjs
wll
bsc
saog
saoc
sak
kscp
kpsc
fzco
fze
fz llc
dmcc
dwc llc
wholly foreign owned enterprise
co operative
plc
as
asa
sa rl
sarl u
sasu
eurl
selarl
limitada
sociedade limitada
sociedad anonima cerrada
sac
saa
saic
unipessoal
unipessoal lda
lda
sgps
eood
ood
ead
ltd sti
limited sirketi
sanayi ve ticaret
sanayi ve ticaret as
san ve tic as
san ve tic ltd sti
tnhh
cong ty tnhh
jsc vn
kkt
kft
zrt
nyrt
dooel
ehf
oyj
oy
vof
cvba
bvba
gcv
ivs
gk
yk
bhd
ltd co kg
limited company
close corporation
incorporation
aps
hf
kb
hb
companies
"""
PREFIXES = frozenset(
    {
        "the",
        "pt",
        "ooo",
        "oao",
        "zao",
        "pao",
        "uab",
        "sia",
        "pjsc",
        "ojsc",
        "cjsc",
        "jsc",
        "llc",
        "llp",
        "tov",
        "too",
        "\u043e\u043e\u043e",
        "\u0430\u043e",
        "\u043f\u0430\u043e",
    }
)
# Written without a space before or after the name.
EAST_ASIAN = re.compile(
    "\u682a\u5f0f\u4f1a\u793e|\u6709\u9650\u4f1a\u793e|\u5408\u540c\u4f1a\u793e|\u80a1\u4efd\u6709\u9650\u516c\u53f8"
    "|\u80a1\u4efd\u6709\u9650\u516c\u53f8|\u6709\u9650\u8d23\u4efb\u516c\u53f8|\u6709\u9650\u516c\u53f8|\u96c6\u56e2"
    "|\uc8fc\uc2dd\ud68c\uc0ac|\\(\uc8fc\\)|\u3231|\u321c"
)


def _as_words(term: str) -> tuple[str, ...]:
    joined = re.sub(r"(?<=\w)[./'](?=\w|$)", "", fold(term).replace("&", " "))
    return tuple(re.sub(r"[\W_]+", " ", joined).split())


def _forms() -> frozenset[tuple[str, ...]]:
    listed = (*terms_by_type.values(), *terms_by_country.values())
    known = {_as_words(term) for terms in listed for term in terms}
    return frozenset((known - _AMBIGUOUS - {()}) | {tuple(line.split()) for line in _MORE.split("\n") if line})


FORMS = _forms()
LONGEST = max(map(len, FORMS))
