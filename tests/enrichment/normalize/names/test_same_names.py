"""Companies and people: which names are one, and which are two."""

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
