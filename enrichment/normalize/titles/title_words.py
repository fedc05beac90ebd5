"""The words of job titles: how they are shortened, and what they mean the same as. All folded."""

from enrichment.normalize.text.text import without_umlauts

_SHORT_LINES = """
sr senior
snr senior
jr junior
jnr junior
vp vice president
svp senior vice president
evp executive vice president
avp assistant vice president
rvp regional vice president
gvp group vice president
ceo chief executive officer
cfo chief financial officer
ciso chief information security officer
chro chief human resource officer
cxo chief experience officer
cbo chief business officer
cgo chief growth officer
cko chief knowledge officer
cno chief nursing officer
cpto chief product technology officer
hr human resource
mgr manager
mngr manager
dir director
engr engineer
swe software engineer
asst assistant
assist assistant
assoc associate
exec executive
dept department
mktg marketing
mkt marketing
mktng marketing
ops operation
mgmt management
mgt management
md managing director
gm general manager
bd business development
bizdev business development
biz business
bus business
it information technology
pr public relation
qa quality assurance
qc quality control
ux user experience
ai artificial intelligence
ml machine learning
bi business intelligence
hrbp human resource business partner
sdr sales development representative
bdr business development representative
adr account development representative
csm customer success manager
csr customer service representative
kam key account manager
am account manager
ae account executive
sre site reliability engineer
ea executive assistant
pa personal assistant
pmo project management office
fpa financial planning analysis
rep representative
coord coordinator
admin administrative
administrator administrative
accts account
comms communication
intl international
natl national
reg regional
corp corporate
mfg manufacturing
svc service
svcs service
prog program
programme program
proj project
strat strategic
dep deputy
gen general
chairman chair
chairwoman chair
chairperson chair
cofounder co founder
ii 2
iii 3
iv 4
geschaftsfuhrer managing director
geschaftsfuhrender managing
pdg president directeur general
dg directeur general
drh directeur ressource humaine
daf directeur administratif financier
dsi directeur systeme information
"""
WRITTEN_OUT: dict[str, str] = dict(without_umlauts(line).split(maxsplit=1) for line in _SHORT_LINES.strip().split("\n"))
_AMBIGUOUS_LINES = """
cpo: chief product officer|chief people officer|chief procurement officer|chief privacy officer
cro: chief revenue officer|chief risk officer|chief research officer
cdo: chief data officer|chief digital officer|chief development officer|chief diversity officer
cco: chief commercial officer|chief customer officer|chief compliance officer|chief communication officer
cco: chief creative officer|chief content officer
cso: chief sales officer|chief security officer|chief strategy officer|chief science officer|chief scientific officer
cso: chief sustainability officer|chief supply chain officer
cio: chief information officer|chief investment officer|chief innovation officer
cmo: chief marketing officer|chief medical officer
clo: chief legal officer|chief learning officer
cao: chief administrative officer|chief accounting officer|chief analytics officer
cto: chief technology officer|chief technical officer|chief transformation officer
coo: chief operating officer|chief operation officer
pm: product manager|project manager|program manager
eng: engineer|engineering
dev: developer|development
tech: technical|technology|technician
prod: product|production
acct: account|accounting|accountant
"""
# What stands for several things, and is the same as each.
AMBIGUOUS: dict[str, tuple[str, ...]] = {}
for _line in _AMBIGUOUS_LINES.strip().split("\n"):
    _short, _, _long = without_umlauts(_line).partition(": ")
    AMBIGUOUS[_short] = (*AMBIGUOUS.get(_short, ()), *_long.split("|"))
# Phrases that are put in one way before the words are told apart, in this order.
PHRASES = (
    ("r and d", "research development"),
    ("fp and a", "fpa"),
    ("l and d", "learning development"),
    ("m and a", "mergers acquisitions"),
    ("chief exec", "chief executive"),
    ("chief executive officer", "ceo"),
    ("chief executive", "ceo"),
    ("chief finance officer", "cfo"),
    ("chief operations officer", "coo"),
    ("chief operation officer", "coo"),
    ("human resource", "human resources"),
    ("co founder", "cofounder"),
    ("co founding", "cofounding"),
    ("biz dev", "business development"),
    ("vice pres", "vice president"),
    ("exec vp", "evp"),
    ("sr vp", "svp"),
    ("senior vp", "svp"),
    ("executive vp", "evp"),
    ("e commerce", "ecommerce"),
    ("pre sales", "presales"),
    ("free lance", "freelance"),
    ("full stack", "fullstack"),
    ("front end", "frontend"),
    ("back end", "backend"),
)
_FILLER_LINE = """
of the for and at in on with a an de la le les du des d l del der die das dem den von vom und et y e fur im zu zur zum
department team position role
"""
FILLERS = frozenset(_FILLER_LINE.split())
# The female form of a word is the same job.
_FEMALE_LINES = """
directrice directeur
commerciale commercial
generale general
presidente president
presidenta president
adjointe adjoint
fondatrice fondateur
cofondatrice cofondateur
chargee charge
consultante consultant
conseillere conseiller
technicienne technicien
assistante assistant
dirigeante dirigeant
administratrice administrateur
acheteuse acheteur
vendeuse vendeur
coordinatrice coordinateur
redactrice redacteur
directora director
fundadora fundador
cofundadora cofundador
jefa jefe
ingeniera ingeniero
coordinadora coordinador
administradora administrador
gerenta gerente
consultora consultor
vendedora vendedor
direttrice direttore
fondatrice fondateur
amministratrice amministratore
chairwoman chairman
chefin chef
kauffrau kaufmann
spokeswoman spokesman
foreperson foreman
"""
FEMALE: dict[str, str] = dict(line.split() for line in _FEMALE_LINES.strip().split("\n"))
# German words whose female form ends in -in.
GERMAN_FEMALE = (
    *("leiter", "fuhrer", "manager", "berater", "entwickler", "ingenieur", "assistent", "referent", "direktor"),
    *("partner", "trainer", "techniker", "bearbeiter", "verkaufer", "einkaufer", "prokurist", "inhaber", "grunder"),
    *("praktikant", "analyst", "mitarbeiter", "meister", "vertreter", "koordinator", "redakteur", "konstrukteur"),
    *("buchhalter", "controller", "administrator", "prasident", "vorsitzend", "beauftragt", "sekretar", "disponent"),
)
