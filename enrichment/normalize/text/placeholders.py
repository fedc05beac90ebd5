"""What people and exports write where there is no value."""

_LINES = """
n/a
n\\a
n.a
na
#n/a
none
null
nil
nan
undefined
blank
empty
unknown
unknwon
unkown
tbd
t.b.d
tba
t.b.a
tbc
todo
to be determined
to be defined
to be announced
test
test test
dummy
not available
not applicable
not provided
not specified
not set
not known
not given
not found
no data
no value
no info
no information
please select
please specify
select one
select
#ref!
#value!
#name?
#null!
#div/0!
#error!
k.a
keine angabe
keine angaben
unbekannt
nicht bekannt
nicht vorhanden
nicht angegeben
inconnu
inconnue
non renseign\u00e9
non renseigne
desconocido
desconocida
sin datos
no disponible
desconhecido
n\u00e3o informado
sconosciuto
onbekend
ok\u00e4nd
ukjent
ukendt
tuntematon
nieznany
\u043d\u0435\u0438\u0437\u0432\u0435\u0441\u0442\u043d\u043e
\u043d\u0435 \u0443\u043a\u0430\u0437\u0430\u043d\u043e
\u4e0d\u660e
\u672a\u77e5
\u7121\u3057
\u306a\u3057
"""
PLACEHOLDERS = frozenset(line.casefold() for line in _LINES.splitlines() if line)
_JUNK_LINES = """
asdf
asdfasdf
asdfgh
asdfghjkl
qwerty
qwertz
qwertyuiop
lorem ipsum
foobar
abcdef
aaaa
"""
JUNK = frozenset(_JUNK_LINES.split("\n")) - {""}
_WRAPPING = " .,;:!?-_*'\"`()[]<>{}/\\|"
_LONGEST = 32


def is_junk(text: str) -> bool:
    """Whether the text is what fingers type into a field that must not be empty: `asdf`, `qwerty`."""
    return text.casefold().strip(_WRAPPING) in JUNK


def is_placeholder(text: str) -> bool:
    """Whether the text only says that there is no value: `n/a`, `-`, `???`, `TBD`, `xxx`."""
    if len(text) > _LONGEST:
        return not any(map(str.isalnum, text))
    folded = text.casefold()
    bare = folded.strip(_WRAPPING)
    if folded in PLACEHOLDERS or bare in PLACEHOLDERS:
        return True
    if len(bare) > 1 and not bare.strip("x"):
        return True
    return not any(map(str.isalnum, bare))
