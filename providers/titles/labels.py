"""Translates the providers' labels of seniority and department into those of `providers.titles.titles`.

A label often covers more than one of our words: Clearbit's `executive` is a VP as well as the C-suite, and Apollo's
`master_operations` also buys. Then the job title decides among them; without a title the first one counts, with less
confidence.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from enrichment.normalize.text.text import words
from providers.titles import titles
from providers.titles.rule import Label

# A provider's labels, separated by "|": what they may mean, most frequent first, and how often they mean the first
# where that is not always. Labels are compared by their folded words, so `C-Level`, `c_level` and `C Level` are one.
_SENIORITY = """
owner|founder|co founder|founder owner: Founder
partner: Founder 0.6, C-Suite, Director
cxo|c suite|c level|c level exec|c level executive|ceo: C-Suite 0.9, Founder
cfo|cto|coo|board member|board|president: C-Suite
executive|exec|executive level|senior executive: C-Suite 0.6, VP, Founder
vp|vice president|vp level|vp level exec|svp|evp: VP
head|head of|director|director level: Director
senior management: Director 0.6, VP
manager|manager level|team lead|supervisor|mid management: Manager
senior|senior level|principal|lead: Senior IC 0.8, Manager
senior ic|expert: Senior IC
staff|individual contributor|ic|specialist|professional|mid level|mid: IC
non manager|non manager level|non management: IC 0.65, Senior IC, Entry
entry|entry level|junior|associate: Entry 0.6, IC
intern|internship|training|trainee|apprentice|student|unpaid|volunteer: Entry
"""
_MOST_SENIOR_FIRST = ("Founder", "C-Suite", "VP", "Director", "Manager", "Senior IC", "IC", "Entry")

_ANY = "Executive 0.5, Finance, Engineering, IT & Security, Marketing, Sales, HR, Operations, Data, Procurement, Other"
_DEPARTMENT = f"""
c suite|c level|executive|management|leadership|general management|entrepreneurship: {_ANY}
ceo|founder|owner|president|board|chief executive: Executive
engineering: Engineering 0.95, Data
software engineer|software engineering|software development|web development|web engineer: Engineering
engineering technical|engineering and technical: Engineering 0.8, Data, IT & Security, Operations
quality assurance|quality assurance tester|devops|mechanical engineer: Engineering
research|research and development|scientific|science|sciences: Engineering 0.7, Data
product|product management|product mangement|product development: Engineering 0.75, Data
design|arts and design|creative: Engineering 0.55, Marketing
data|data science|analytics|business intelligence: Data
analyst: Data 0.5, Finance, Engineering
artificial intelligence machine learning|machine learning|data engineering|data warehouse|data management: Data
information technology|it|computing: IT & Security 0.75, Engineering, Data
information technology executive|it executive|information security|security|network operations: IT & Security
help desk technical services|help desk|infrastructure|systems administration|it support: IT & Security
sales|business development|inside sales|outside sales|field sales|sales engineering|partnerships: Sales
sales operations|revenue operations|account management|account executive|sales executive: Sales
sales and marketing: Sales 0.6, Marketing, Customer Success
marketing|marketing and communications|media|media and communication|media and communications: Marketing
communication|communications|public relations|brand management|demand generation|content: Marketing
advertising|events|product marketing|field marketing|marketing executive|writing editing: Marketing
hr|human resources|human resource|recruiting|talent acquisition|people|people operations|learning and development: HR
compensation and benefits|employee relations|human resources executive|hr executive: HR
finance|accounting|finance and accounting|finance executive|financial planning and analysis: Finance 0.95, Procurement
tax|treasury|audit|controller|investor relations|banking: Finance
support|customer service|customer success|customer support|client services|customer experience: Customer Success
customer service support|customer client service|call center: Customer Success
operations|ops|operations executive: Operations 0.75, Procurement, Customer Success, Administration, Engineering
logistics|supply chain|supply chain and logistics: Operations 0.9, Procurement
manufacturing|manufacturing and production|production|fulfillment|facilities management|facilities: Operations
quality management|store operations|safety|project development: Operations
trade|trades|construction: Operations 0.6, Other
procurement|purchasing|sourcing|purchasing and procurement|vendor management|category management: Procurement
admin|administration|administrative|office management|executive assistant|secretary: Administration
general and administrative: Administration 0.4, Finance, HR, IT & Security, Executive, Other
legal|legal counsel|lawyer|compliance|paralegal|contracts|ediscovery: Other
health|health professional|medical|medical health|medical and health|healthcare|doctors physicians|nursing: Other
education|teaching|real estate|public service|hospitality|professional service|services: Other
advisory|consulting|consultant|project management|program management: Other 0.7, Operations
"""
_PREFIX = "master "  # Apollo's `master_sales` is the department above `sales`
_TRANSLATED = 0.97  # the label leaves no choice, or the title makes the usual one
_READ_AS_TITLE = 0.8  # share of the confidence in a title's word that is left when it stands in an unknown label
_LONGEST, _LONGEST_TITLE = 120, 200  # characters that are read
_MOST = 20  # labels of one list that are looked at


class _Meaning(NamedTuple):
    usual: str
    confidence: float  # in the usual meaning, where no title says more
    others: tuple[str, ...]


def seniority_of(labels: Any, title: Any = None) -> Label | None:
    """The seniority that a provider's labels say: a text, or a list whose highest label counts.

    The confidence is that of the translation alone. None where no label is known; values of other types are left
    out.
    """
    found = _translated(labels, title, _seniority_table(), titles.seniority)
    return min(found, key=lambda label: _MOST_SENIOR_FIRST.index(label.label), default=None)


def department_of(labels: Any, title: Any = None) -> Label | None:
    """The department that a provider's labels say: a text, or a list whose first known label counts.

    Give the narrowest label first. Otherwise as `seniority_of`.
    """
    return next(_translated(labels, title, _department_table(), titles.department), None)


def _translated(
    labels: Any, title: Any, table: Mapping[str, _Meaning], read_title: Callable[[str], Label | None]
) -> Iterator[Label]:
    """The meaning of each label that has one."""
    read = read_title(title[:_LONGEST_TITLE]) if isinstance(title, str) else None
    for label in _texts(labels):
        meaning = table.get(label)
        if meaning is not None:
            yield _chosen(meaning, read)
        elif guess := read_title(label):
            yield Label(guess.label, round(guess.confidence * _READ_AS_TITLE, 3))


def _chosen(meaning: _Meaning, read: Label | None) -> Label:
    if read is not None and read.label == meaning.usual:
        return Label(read.label, _TRANSLATED)
    if read is not None and read.label in meaning.others:
        return read
    return Label(meaning.usual, meaning.confidence)


def _texts(labels: Any) -> Iterator[str]:
    """The folded words of each label that is a text."""
    for label in labels[:_MOST] if isinstance(labels, list | tuple) else [labels]:
        if isinstance(label, str):
            folded = words(label[:_LONGEST]).removeprefix(_PREFIX)
            if folded:
                yield folded


@cache
def _seniority_table() -> Mapping[str, _Meaning]:
    return _table(_SENIORITY)


@cache
def _department_table() -> Mapping[str, _Meaning]:
    return _table(_DEPARTMENT)


def _table(lines: str) -> Mapping[str, _Meaning]:
    table: dict[str, _Meaning] = {}
    for line in lines.strip().split("\n"):
        labels, _, meanings = line.partition(": ")
        first, *others = meanings.split(", ")
        usual, _, confidence = first.rpartition(" ") if first[-1].isdigit() else (first, "", _TRANSLATED)
        meaning = _Meaning(usual, float(confidence), tuple(others))
        table.update({words(label): meaning for label in labels.split("|")})
    return table
