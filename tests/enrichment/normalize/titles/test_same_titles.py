"""Jobs: which titles, departments and levels are one, and which are two."""

import pytest

from enrichment.enums import EntityType
from tests.support.same_values import check_different, check_same, rows

LEAD = EntityType.LEAD

SAME_TITLE = """
VP Sales | Vice President of Sales
VP, Sales | Vice President Sales
V.P. of Sales | Vice-President, Sales
Vice President - Sales | VP Sales
Sales VP | VP of Sales
SVP Marketing | Senior Vice President, Marketing
Sr. Vice President of Marketing | SVP Marketing
EVP & CFO | Executive Vice President and Chief Financial Officer
AVP Operations | Assistant Vice President, Operations
CTO | Chief Technology Officer
CEO | Chief Executive Officer
C.E.O. | Chief Executive
ceo | CEO
Chief Exec. Officer | CEO
CFO | Chief Finance Officer
COO | Chief Operations Officer
CMO | Chief Marketing Officer
CIO | Chief Information Officer
CISO | Chief Information Security Officer
CHRO | Chief Human Resources Officer
CPO | Chief Product Officer
CPO | Chief People Officer
CRO | Chief Revenue Officer
CRO | Chief Risk Officer
CDO | Chief Data Officer
CCO | Chief Commercial Officer
CEO & Founder | Founder and CEO
Founder/CEO | CEO, Founder
Co-Founder & CTO | CTO and Cofounder
Director of Sales | Sales Director
Director, Sales | Sales Director
Dir. of Engineering | Director of Engineering
Head of Marketing | Marketing Head
Head, Marketing | Head of Marketing
Manager, Business Development | Business Development Manager
BD Manager | Business Development Manager
Sr. Software Engineer | Senior Software Engineer
Senior Software Eng. | Sr Software Engineer
Snr Project Mgr | Senior Project Manager
Jr. Developer | Junior Developer
HR Manager | Human Resources Manager
HRBP | Human Resources Business Partner
IT Director | Director of Information Technology
PR Manager | Public Relations Manager
QA Engineer | Quality Assurance Engineer
R&D Director | Director of Research and Development
Ops Manager | Operations Manager
Asst. Manager | Assistant Manager
Admin Assistant | Administrative Assistant
EA to the CEO | Executive Assistant to the CEO
GM | General Manager
MD | Managing Director
Managing Director | MANAGING DIRECTOR
SDR | Sales Development Representative
BDR | Business Development Rep
CSM | Customer Success Manager
KAM | Key Account Manager
SRE | Site Reliability Engineer
ML Engineer | Machine Learning Engineer
AI Researcher | Artificial Intelligence Researcher
FP&A Manager | Manager, Financial Planning & Analysis
Software Engineer II | Software Engineer 2
Data Scientist (m/w/d) | Data Scientist
Gesch\u00e4ftsf\u00fchrer | Gesch\u00e4ftsf\u00fchrerin
Gesch\u00e4ftsf\u00fchrer | Geschaeftsfuehrer
Leiter Vertrieb | Leiterin Vertrieb
Leiter Vertrieb | Vertriebsleiter
Leiter des Einkaufs | Einkaufsleiter
Vertriebsleiter | Vertriebsleiterin
Directeur Commercial | Directrice commerciale
Directeur des ventes | Directeur ventes
Director General | Directora General
Projektleiter/in | Projektleiter
VICE PRESIDENT, GLOBAL SUPPLY CHAIN | VP Global Supply Chain
Director of Engineering, EMEA | Engineering Director EMEA
Chairman of the Board | Chairman, Board
Owner / President | President and Owner
Acct. Executive | Account Executive
"""
DIFFERENT_TITLE = """
VP Sales | VP Marketing
VP Sales | SVP Sales
Sales Director | Sales Manager
Director of Sales | Head of Sales
CTO | CEO
CTO | CIO
CPO | Chief Executive Officer
CRO | Chief Financial Officer
Chief Revenue Officer | Chief Risk Officer
Chief Product Officer | Chief People Officer
Senior Software Engineer | Software Engineer
Junior Developer | Senior Developer
Software Engineer II | Software Engineer III
Assistant Director | Director
Assistant to the Director | Assistant Director
Executive Assistant to the CEO | CEO
Vice President | President
Engineering Manager | Engineer
Product Manager | Project Manager
Account Manager | Account Executive
VP Sales EMEA | VP Sales APAC
Head of Marketing | Head of Product Marketing
Vertriebsleiter | Einkaufsleiter
Directeur commercial | Directeur technique
Managing Director | General Manager
Co-Founder | Founder
Data Engineer | Data Scientist
"""
SAME_WORK = {
    "department": """
HR | Human Resources
R&D | Research and Development
IT | Information Technology
Biz Dev | Business Development
Sales | sales department
Marketing | MARKETING
Customer Support | Customer Service
Finance & Accounting | Finance and Accounting
Legal | Legal Department
""",
    "seniorityLevel": """
C-Level | C-Suite
c_suite | CXO
VP | Vice President
Mgr | Manager
Director | DIRECTOR
Entry | entry_level
Sr | Senior
Owner | founder
""",
}
DIFFERENT_WORK = {
    "department": "Sales | Marketing",
    "seniorityLevel": "Director | Manager",
}


@pytest.mark.parametrize(("one", "other"), rows(SAME_TITLE))
def test_one_job_in_two_wordings(one: str, other: str) -> None:
    check_same(LEAD, "title", one, other)
    check_same(EntityType.CONTACT, "title", one, other)


@pytest.mark.parametrize(("one", "other"), rows(DIFFERENT_TITLE))
def test_two_jobs(one: str, other: str) -> None:
    check_different(LEAD, "title", one, other)


@pytest.mark.parametrize(("field", "one", "other"), [(f, *pair) for f, t in SAME_WORK.items() for pair in rows(t)])
def test_one_department_or_level_in_two_wordings(field: str, one: str, other: str) -> None:
    check_same(LEAD, field, one, other)


@pytest.mark.parametrize(("field", "one", "other"), [(f, *pair) for f, t in DIFFERENT_WORK.items() for pair in rows(t)])
def test_two_departments_or_levels(field: str, one: str, other: str) -> None:
    check_different(LEAD, field, one, other)
