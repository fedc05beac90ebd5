"""Which field a column of a CRM's export is, by its name: our own, and those of the exports that people have.

Names are compared by their letters and digits alone: `annual revenue`, `annual_revenue` and `AnnualRevenue` are one.
They are those of HubSpot, Salesforce, Apollo, LinkedIn, Pipedrive, Zoho and Dynamics, as these products print them.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType

OBSERVED = ("observedAt", "observedAtByField")  # when the CRM saw the record, and its single fields
MODIFIED = "lastmodified lastmodifieddate lastmodifiedat lastmodifiedtime lastupdated updatedat modifiedon modifiedtime"
_LETTERS = re.compile(r"[^\W_]+")

# By field: other names of its column, those that mean it best first.
_ANY = {
    "phone": "phonenumber workdirectphone directphone workphone phonework businessphone officephone mainphone"
    " corporatephone companyphone telephone tel telephonenumber",
    "website": "websiteurl webpage companywebsite homepage webaddress",
    "industry": "primaryindustry industryname industrysector sector",
    "numberOfEmployees": "employees noofemployees employeecount numberofemployeesrange companysize headcount"
    " numemployees",
    "annualRevenue": "revenue companyannualrevenue yearlyrevenue",
    "street": "streetaddress address addressline1 address1 street1 mailingstreet billingstreet billingaddressline1"
    " addressstreet",
    "city": "town mailingcity billingcity addresscity cityname",
    "state": "stateregion stateprovince region province mailingstate mailingstateprovince billingstate"
    " billingstateprovince addressstate stateorprovince",
    "postalCode": "zip zipcode zippostalcode postcode plz mailingzip mailingzippostalcode mailingpostalcode billingzip"
    " billingzippostalcode billingpostalcode ziporpostalcode",
    "country": "countryregion countryname mailingcountry billingcountry addresscountry countryorregion",
}
_PERSON = {
    "firstName": "givenname forename",
    "lastName": "surname familyname",
    "email": "emailaddress workemail emailwork businessemail primaryemail emailaddress1 email1",
    "mobilePhone": "mobile mobilephonenumber mobilenumber cell cellphone cellphonenumber phonemobile",
    "title": "jobtitle position designation",
    "company": "companyname companyaccount accountname organization organisation organizationname employer account"
    " associatedcompany primarycompany",
    "companyDomain": "companydomainname domain emaildomain",
    "linkedinUrl": "linkedin linkedinprofile linkedinprofileurl personlinkedinurl linkedinurl1 linkedinbio",
    "seniorityLevel": "seniority",
    "department": "departments",
    "twitterHandle": "twitter twitterusername",
}
_ACCOUNT = {
    "name": "companyname accountname company organization organisation organizationname account",
    "domain": "companydomainname companydomain websitedomain domainname",
    "linkedinUrl": "linkedin linkedincompanypage companylinkedinurl linkedinpage",
    "facebookUrl": "facebook facebookcompanypage",
    "twitterUrl": "twitter",
    "foundedYear": "yearfounded founded yearestablished",
    "parentCompany": "parentaccount parentcompanyname parentaccountname",
    "stockSymbol": "tickersymbol ticker",
    "techStack": "technologies webtechnologies",
    "description": "aboutus companydescription shortdescription accountdescription",
    "naicsCode": "naics",
    "sicCode": "sic",
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
    own = ("externalid", "id", "recordid", f"{kind}id", f"{kind}recordid", f"apollo{kind}id", f"{kind}id18")
    other = {EntityType.ACCOUNT: ("companyid", "organizationid", "organisationid")}
    return (*own, *other.get(entity_type, ("personid", "url")))  # LinkedIn names people by their pages alone
