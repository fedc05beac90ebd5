"""Companies, people and their jobs: which names are one, and which are two."""

import pytest

from enrichment.enums import EntityType
from tests.support.same_values import check_different, check_same, rows

LEAD, ACCOUNT = EntityType.LEAD, EntityType.ACCOUNT

SAME_COMPANY = """
# how it is written
ACME | Acme
Acme Inc. | ACME INC
  Acme   Corporation  | Acme Corporation
Acme & Sons | Acme and Sons
Acme+Sons | Acme & Sons
The Acme Company | Acme Co.
Acme, Inc. | Acme Inc
A.C.M.E. Ltd | ACME Limited
L'Or\u00e9al | LOREAL
M\u00fcller GmbH | Mueller GmbH
Nestl\u00e9 | Nestle
\u0160koda Auto | Skoda Auto
\u00d8rsted | Orsted
E.ON | EON
AT&T | AT & T
"Acme" | Acme
Acme [EMEA] | Acme
Acme (old) | Acme
Acme - DO NOT USE | Acme
Acme\u00ae | Acme
Acme\u2122 Inc. | Acme
# legal forms
Acme Inc. | Acme Incorporated
Acme Corp. | Acme Corporation
Acme LLC | Acme L.L.C.
Acme LP | Acme
Acme Ltd | Acme Limited
Acme PLC | Acme
Acme LLP | Acme
Acme GmbH | Acme
Acme GmbH & Co. KG | Acme
Acme AG | Acme Aktiengesellschaft
Acme SE | Acme
Acme UG (haftungsbeschr\u00e4nkt) | Acme
Acme e.V. | Acme
Acme KGaA | Acme
Acme OHG | Acme
Acme e.K. | Acme
Acme S.A. | Acme SA
Acme SAS | Acme
Acme S.\u00e0 r.l. | Acme SARL
Acme SASU | Acme
Acme S.p.A. | Acme SpA
Acme S.r.l. | Acme
Acme S.L. | Acme SL
Acme S.L.U. | Acme
Acme S.A. de C.V. | Acme
Acme S. de R.L. de C.V. | Acme
Acme Ltda. | Acme Limitada
Acme S/A | Acme
Acme EIRELI | Acme
Acme B.V. | Acme BV
Acme N.V. | Acme
Acme BVBA | Acme
Acme AB | Acme
Acme AB (publ) | Acme Aktiebolag
Acme A/S | Acme
Acme ApS | Acme
Acme AS | Acme
Acme ASA | Acme
Acme Oy | Acme
Acme Oyj | Acme
Acme Sp. z o.o. | Acme
Acme S.A. | Acme Sp\u00f3\u0142ka Akcyjna
Acme s.r.o. | Acme
Acme a.s. | Acme
Acme Kft. | Acme
Acme Zrt. | Acme
Acme d.o.o. | Acme
Acme d.d. | Acme
Acme EOOD | Acme
Acme O\u00dc | Acme
SIA Acme | Acme
UAB Acme | Acme
\u041e\u041e\u041e Acme | Acme
Acme A.\u015e. | Acme
Acme Ltd. \u015eti. | Acme
Acme Pty Ltd | Acme Pty. Limited
Acme Pte. Ltd. | Acme Private Limited
Acme Pvt. Ltd. | Acme
Acme Sdn. Bhd. | Acme Sdn Bhd
Acme Bhd | Acme Berhad
PT Acme Tbk | Acme
Acme Co., Ltd. | Acme Company Limited
Acme K.K. | Acme Kabushiki Kaisha
\u682a\u5f0f\u4f1a\u793eAcme | Acme
Acme JSC | Acme
PJSC Acme | Acme
Acme PCL | Acme Public Company Limited
Acme W.L.L. | Acme
Acme FZE | Acme
Acme FZ-LLC | Acme
Acme Holdings Ltd | Acme Holdings
Acme Class A | Acme
# short words
Acme Intl. | Acme International
Acme Mfg. Co. | Acme Manufacturing Company
Smith Bros. | Smith Brothers
Acme Tech. | Acme Technologies
Acme Svcs | Acme Services
Acme Mgmt Ltd | Acme Management
Acme Assoc. | Acme Associates
St. Gobain | Saint-Gobain
"""
DIFFERENT_COMPANY = """
Tesla, Inc. | Tesco PLC
Acme | Acme Foods
Acme Foods GmbH | Acme Drinks GmbH
Bank of America | Bank of Ireland
United Airlines | American Airlines
Delta Air Lines | Delta Electronics
Virgin Media | Virgin Atlantic
Siemens | Siemens Healthineers
Ford | Fjord
Acme North | Acme South
Alpha Bank | Alpha Insurance
Sun Microsystems | Sun Pharma
First National | First Republic
TBONYM | The Bank of New York Mellon Corporation
Bank of Amercia | Bank of Amerika Novak
"""
SAME_PERSON = """
J\u00fcrgen | Juergen
J\u00fcrgen | Jurgen
JOS\u00c9 | Jose
Ren\u00e9e | RENEE
Fran\u00e7ois | francois
S\u00f8ren | Soren
\u0141ukasz | Lukasz
Bj\u00f6rn | BJORN
M\u00fcller | Mueller
O'Brien | O\u2019BRIEN
de la Cruz | DE LA CRUZ
McDonald | MCDONALD
Jean-Luc | Jean Luc
Nu\u00f1ez | Nunez
\u00dcnal | Unal
Dr. Anna | Anna
Anna  | ANNA
Ng\u00f4 | Ngo
\u0160imek | Simek
"""
DIFFERENT_PERSON = """
Robert | Bob
William | Bill
Elizabeth | Liz
Katharina | Katja
Anna | Anne
Smith | Smyth
Jon | John
Meier | Meyer
Stephen | Steven
Lee | Li
"""
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


@pytest.mark.parametrize(("one", "other"), rows(SAME_COMPANY))
def test_one_company_in_two_spellings(one: str, other: str) -> None:
    check_same(ACCOUNT, "name", one, other)
    check_same(ACCOUNT, "parentCompany", one, other)
    check_same(LEAD, "company", one, other)


@pytest.mark.parametrize(("one", "other"), rows(DIFFERENT_COMPANY))
def test_two_companies(one: str, other: str) -> None:
    check_different(ACCOUNT, "name", one, other)
    check_different(LEAD, "company", one, other)


@pytest.mark.parametrize(("one", "other"), rows(SAME_PERSON))
def test_one_name_of_a_person_in_two_spellings(one: str, other: str) -> None:
    check_same(LEAD, "firstName", one, other)
    check_same(LEAD, "lastName", one, other)


@pytest.mark.parametrize(("one", "other"), rows(DIFFERENT_PERSON))
def test_a_nickname_and_a_like_name_are_other_names(one: str, other: str) -> None:
    check_different(LEAD, "firstName", one, other)
    check_different(LEAD, "lastName", one, other)


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
