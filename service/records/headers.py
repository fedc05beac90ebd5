"""Which field a column of a CRM's export is, by its name: our own, and those of the exports that people have.

Names are compared by their letters and digits alone: `annual revenue`, `annual_revenue` and `AnnualRevenue` are one.
They are those of HubSpot, Salesforce, Apollo, LinkedIn, Pipedrive, Zoho, Dynamics and ZoomInfo as these products print
them, and plain German, French and Spanish ones. A name that may mean something else (`Region`, `Company City` of a
person) is none of them.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType

OBSERVED = ("observedAt", "observedAtByField")  # when the CRM saw the record, and its single fields
FULL_NAME = "fullName"  # of a person, in one cell; it is no field, and the signals read it
MODIFIED = (
    "lastmodified lastmodifieddate lastmodifiedat lastmodifiedtime hslastmodifieddate lastupdated lastupdatedat"
    " updatedat modifiedon modifiedtime modifieddate updatetime personupdatetime organizationupdatetime"
    " donotmodifymodifiedon"
)
_LETTERS = re.compile(r"[^\W_]+")

# By field: other names of its column, those that mean it best first.
_ANY = {
    "phone": "phonenumber workdirectphone directphone directphonenumber workphone phonework personphonework"
    " businessphone officephone mainphone corporatephone companyphone companyhqphone telephone"
    " telephonenumber tel telefon"
    " telefonnummer téléphone teléfono",
    "website": "websiteurl webpage companywebsite homepage webaddress webseite siteweb sitioweb",
    "industry": "primaryindustry industryname sector branche",
    "numberOfEmployees": "employees noofemployees employeecount companysize headcount numemployees mitarbeiter effectif"
    " empleados",
    "annualRevenue": "revenue companyannualrevenue yearlyrevenue umsatz",
    "street": "streetaddress address addressline1 address1 street1 mailingstreet billingstreet personstreet"
    " address1street1 addressstreet straße strasse adresse anschrift rue dirección calle",
    "city": "town mailingcity billingcity personcity address1city addresscity stadt ort ville ciudad",
    "state": "stateregion stateprovince stateorprovince province mailingstate mailingstateprovince billingstate"
    " billingstateprovince personstate address1stateprovince bundesland",
    "postalCode": "zip zipcode zippostalcode ziporpostalcode postcode mailingzip mailingzippostalcode mailingpostalcode"
    " billingzip billingzippostalcode billingpostalcode billingcode mailingcode personzipcode address1zippostalcode plz"
    " postleitzahl codepostal códigopostal",
    "country": "countryregion countryorregion countryname mailingcountry billingcountry address1countryregion land pays"
    " país",
}
_PERSON = {
    "firstName": "givenname forename personfirstname vorname prénom nombre",
    "lastName": "surname familyname personlastname nachname nom apellido apellidos",
    "email": "emailaddress workemail emailwork personemailwork businessemail primaryemail emailaddress1 email1"
    " emailadresse correoelectrónico",
    "mobilePhone": "mobile mobilephonenumber mobilenumber cell cellphone cellphonenumber phonemobile personphonemobile"
    " mobil mobiltelefon handy portable móvil",
    "title": "jobtitle position designation berufsbezeichnung poste cargo",
    "company": "companyname companyaccount accountname organization organisation organizationname personorganization"
    " employer account associatedcompany primarycompany firma unternehmen société entreprise empresa",
    "companyDomain": "companydomainname domain",
    "linkedinUrl": "linkedin linkedinprofile linkedinprofileurl personlinkedinurl linkedincontactprofileurl"
    " linkedinbio",
    "seniorityLevel": "seniority managementlevel",
    "department": "departments abteilung",
    "twitterHandle": "twitter twitterusername",
}
_ACCOUNT = {
    "name": "companyname accountname company organization organisation organizationname account firma firmenname"
    " unternehmen société entreprise empresa",
    "domain": "companydomainname companydomain websitedomain domainname",
    "linkedinUrl": "linkedin linkedincompanypage companylinkedinurl linkedincompanyprofileurl linkedinpage",
    "facebookUrl": "facebook facebookcompanypage",
    "twitterUrl": "twitter",
    "foundedYear": "yearfounded founded yearestablished",
    "parentCompany": "parentaccount parentcompanyname parentaccountname",
    "stockSymbol": "tickersymbol ticker",
    "techStack": "technologies webtechnologies",
    "description": "aboutus companydescription shortdescription accountdescription",
    "naicsCode": "naics",
    "sicCode": "sic",
    "street": "companystreet companystreetaddress",
    "city": "companycity",
    "state": "companystate",
    "postalCode": "companypostalcode companyzipcode",
    "country": "companycountry",
}


def folded(name: str) -> str:
    """The letters and digits of a column's name, in small letters."""
    return "".join(_LETTERS.findall(name)).casefold()


@cache
def _others(entity_type: EntityType) -> Mapping[str, tuple[str, int]]:
    """By another name of a column: its field, and how well it means it; less is better."""
    known = fields_of(entity_type)
    found: dict[str, tuple[str, int]] = {}
    for table in (_ANY, _ACCOUNT if entity_type is EntityType.ACCOUNT else _PERSON):
        for name, others in table.items():
            if name in known:
                found |= {other: (name, rank) for rank, other in enumerate(others.split(), 1)}
    if entity_type is not EntityType.ACCOUNT:
        found |= dict.fromkeys(("name", "fullname", "contactname", "personname"), (FULL_NAME, 1))
    found |= {other: (OBSERVED[0], rank) for rank, other in enumerate(MODIFIED.split(), 1)}
    return {**found, **{name.casefold(): (name, 0) for name in (*known, *OBSERVED)}}


def is_known(entity_type: EntityType, name: str) -> bool:
    """Whether a column of this name is a field, or an id."""
    return folded(name) in _others(entity_type) or folded(name) in id_names(entity_type)


def fields_by_column(entity_type: EntityType, columns: Sequence[str]) -> dict[str, str]:
    """The field of each column that is one; of several for one field that which has a value is taken, best first.

    Beside a column that has a field's own name, others of the field stay what they are.
    """
    read = [(*_others(entity_type).get(folded(column), ("", 0)), column) for column in columns]
    own = {name for name, rank, _ in read if rank == 0}
    chosen = [(rank, name, column) for name, rank, column in read if name and (rank == 0 or name not in own)]
    return {column: name for _, name, column in sorted(chosen, key=lambda each: each[0])}


@cache
def id_names(entity_type: EntityType) -> tuple[str, ...]:
    """Names of the column with the CRM's own id, the surest first."""
    kind = entity_type.value
    own = (
        *("externalid", "id", "recordid", f"{kind}id", f"{kind}recordid", f"apollo{kind}id", f"zoominfo{kind}id"),
        *(f"{kind}id18", f"donotmodify{kind}", "hsobjectid"),
    )
    other = {EntityType.ACCOUNT: ("companyid", "organizationid", "organisationid", "zoominfocompanyid")}
    return (*own, *other.get(entity_type, ("personid", "url")))  # LinkedIn names people by their pages alone
