"""Forms of answers that no sample shows: masks, null halves, misses told in other ways, and what is half there."""

from typing import Any

import pytest

from enrichment.catalogue import Refused, normalize
from enrichment.enums import EntityType
from providers.api import NO_MATCH, ProviderError
from providers.apollo.adapter import Apollo
from providers.clearbit.adapter import Clearbit
from providers.crunchbase.adapter import Crunchbase
from providers.http.adapter import Reply
from providers.hunter.adapter import Hunter
from providers.matching.identity import StatedIdentity, is_asked_person
from providers.peopledatalabs.adapter import PeopleDataLabs
from providers.zoominfo.adapter import ZoomInfo
from tests.support.fake_http import FakeHttp, account, body_of, lead, reply, values

MARA = lead(email="mara.lindqvist@example.com")
BY_NAME = lead(firstName="Mara", lastName="Lindqvist", company="Example Robotics")
EXAMPLE = account(domain="example.com")
MASKS = [
    "m****t@example.com",
    "mara.lindqvist@e****.com",
    "email_not_unlocked@domain.com",
    "\u2022\u2022\u2022@example.com",
]


@pytest.mark.parametrize("mask", MASKS)
def test_a_masked_address_is_none(mask: str) -> None:
    with pytest.raises(Refused):
        normalize(EntityType.LEAD, "email", mask)


@pytest.mark.parametrize("mask", MASKS)
async def test_a_mask_is_no_value_and_says_nothing_of_whom_it_is_about(mask: str) -> None:
    person = body_of("apollo", "person_found")
    person["person"] |= {"email": mask, "email_status": None}
    for question in (MARA, BY_NAME):
        found = values(await Apollo().look_up(question, FakeHttp(reply(person))))
        assert found["lastName"] == "Lindqvist"
        assert "email" not in found
    contact = body_of("zoominfo", "person_found")
    contact["data"][0]["attributes"] |= {"email": mask, "phone": "(202) 555-****", "jobTitle": "VP of E*********"}
    found = values(await ZoomInfo().look_up(BY_NAME, FakeHttp(reply(contact))))
    assert not {"email", "phone", "title"} & found.keys()
    assert found["mobilePhone"] == "+12025550164"
    assert not is_asked_person(lead(email="bo.berg@example.com"), StatedIdentity(mask, "Mara", "Lindqvist"))


@pytest.mark.parametrize(
    ("adapter", "question", "answer"),
    [
        (Apollo(), MARA, reply({"person": None, "request_id": 1})),
        (Apollo(), MARA, reply({"person": None, "organization": None})),
        (Apollo(), EXAMPLE, reply({"organization": None})),
        (Apollo(), EXAMPLE, reply({"organization": {"id": None, "name": None, "primary_phone": {}}})),
        (PeopleDataLabs(), MARA, reply({"status": 404, "error": {"type": "not_found"}}, 404)),
        (PeopleDataLabs(), EXAMPLE, reply({"status": 404, "error": {"type": "not_found"}})),
        (PeopleDataLabs(), EXAMPLE, reply(None, 404)),
        (Hunter(), MARA, reply({"data": None, "meta": {}})),
        (Hunter(), EXAMPLE, reply({"data": {"name": None, "domain": None}})),
        (ZoomInfo(), MARA, reply({"data": []})),
        (ZoomInfo(), MARA, reply({"data": [{"id": "0", "type": "NoMatch", "meta": {"matchStatus": "NO_MATCH"}}]})),
        (Crunchbase(), EXAMPLE, reply({"count": 0, "entities": []})),
        (Clearbit(), MARA, reply({"person": None, "company": None})),
        (Clearbit(), EXAMPLE, reply({"error": {"type": "unknown_record"}}, 404)),
        (Clearbit(), EXAMPLE, reply([{"type": "unknown_record"}], 404)),
        (Clearbit(), EXAMPLE, reply(None, 404)),
    ],
)
async def test_nobody_is_told_in_many_ways(adapter: Any, question: Any, answer: Reply) -> None:
    http = FakeHttp(answer, key="token")
    assert (await adapter.look_up(question, http)) == NO_MATCH


@pytest.mark.parametrize("data", [[], None, ...])
async def test_the_older_zoominfo_leaves_out_who_was_not_found(data: Any) -> None:
    result = {"input": {}} | ({} if data is ... else {"data": data})
    answer = reply({"success": True, "data": {"outputFields": [], "result": [result]}})
    assert (await ZoomInfo().look_up(MARA, FakeHttp(answer, key="legacy:token"))) == NO_MATCH


@pytest.mark.parametrize("adapter", [Apollo(), PeopleDataLabs(), Hunter(), ZoomInfo(), Crunchbase(), Clearbit()])
async def test_the_page_of_another_server_is_no_miss(adapter: Any) -> None:
    page = reply(b"<html>404 Not Found</html>", 404)
    with pytest.raises(ProviderError) as caught:
        await adapter.look_up(EXAMPLE, FakeHttp(page, key="token"))
    assert (caught.value.code, caught.value.maybe_charged) == ("rejected", False)


@pytest.mark.parametrize("adapter", [Apollo(), PeopleDataLabs(), Hunter(), ZoomInfo(), Clearbit()])
async def test_what_is_queued_is_no_answer_and_is_asked_again(adapter: Any) -> None:
    http = FakeHttp(reply(None, 202), key="token")
    if adapter.info.id == "clearbit":
        assert (await adapter.look_up(MARA, http)).token
        return
    with pytest.raises(ProviderError) as caught:
        await adapter.look_up(MARA, http)
    assert (caught.value.code, caught.value.retryable, caught.value.maybe_charged) == ("unavailable", True, False)


async def test_clearbits_201_is_an_answer() -> None:
    answer = await Clearbit().look_up(EXAMPLE, FakeHttp(reply(body_of("clearbit", "company_found"), 201)))
    assert values(answer)["name"] == "Example Robotics"


async def test_a_company_whose_search_shows_its_id_alone_is_read_by_it() -> None:
    search = reply({"count": 1, "entities": [{"uuid": "u-1", "properties": {}}]})
    http = FakeHttp(search, reply(body_of("crunchbase", "company_found")))
    assert values(await Crunchbase().look_up(EXAMPLE, http))["name"] == "Example Robotics"
    assert http.sent[1].path == "/data/entities/organizations/u-1"
    empty = FakeHttp(search, reply({"properties": {}}))
    assert (await Crunchbase().look_up(EXAMPLE, empty)) == NO_MATCH


@pytest.mark.parametrize("handle", ["in/mara-l", "mara-l", "/in/mara-l/", "https://de.linkedin.com/in/mara-l?x=1"])
async def test_a_profile_is_one_whatever_its_form(handle: str) -> None:
    person = body_of("hunter", "person_found")
    person["data"]["linkedin"] = {"handle": handle}
    found = values(await Hunter().look_up(MARA, FakeHttp(reply(person))))
    assert found["linkedinUrl"] == "https://www.linkedin.com/in/mara-l"


@pytest.mark.parametrize(
    ("employees", "told", "size"),
    [
        (420, None, 420),
        ("11-50", None, "11-50"),
        ("10,001+", None, "10001+"),
        (None, "251-1K", "251-1000"),
        (0, "1-10", "1-10"),
        (None, "100K+", "100000+"),
        ("unknown", "51-250", "51-250"),
    ],
)
async def test_head_counts_and_ranges_are_read(employees: Any, told: Any, size: Any) -> None:
    company = body_of("hunter", "company_found")
    company["data"]["metrics"] = {"employees": employees, "employeesRange": told}
    assert values(await Hunter().look_up(EXAMPLE, FakeHttp(reply(company))))["numberOfEmployees"] == size


async def test_an_address_at_a_mail_provider_leads_to_nobodys_employer() -> None:
    question = lead("industry", email="mara@gmail.com")
    for adapter in (Apollo(), PeopleDataLabs(), Hunter(), ZoomInfo(), Crunchbase(), Clearbit()):
        assert adapter.input_key(question) is None
    both = body_of("clearbit", "combined_found")
    both["person"] = None
    both["company"] |= {"domain": "gmail.com", "name": "Gmail", "emailProvider": True}
    assert (await Clearbit().look_up(lead(email="mara@gmail.com"), FakeHttp(reply(both)))) == NO_MATCH
