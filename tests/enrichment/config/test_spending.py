"""Which fields may cost credits: what a new organization pays for, and what is refused."""

import pytest

from enrichment.catalogue import fields_of
from enrichment.config import Config, EntityPayFor, InvalidConfig, default_config, parse_config
from enrichment.enums import EntityType


def test_a_stored_configuration_that_says_nothing_pays_for_all_fields() -> None:
    for kind in EntityType:
        assert Config.model_validate({}).pay_for.of(kind).among(set(fields_of(kind))) == set(fields_of(kind))


def test_a_new_organization_pays_for_no_picture_handle_or_street() -> None:
    pay_for = default_config(["directory"]).pay_for
    for kind in (EntityType.LEAD, EntityType.CONTACT):
        paid = pay_for.of(kind).among(set(fields_of(kind)))
        assert set(fields_of(kind)) - paid == {"avatarUrl", "twitterHandle", "street"}
    paid = pay_for.of(EntityType.ACCOUNT).among(set(fields_of(EntityType.ACCOUNT)))
    assert "street" not in paid
    assert {"name", "domain", "industry", "numberOfEmployees", "annualRevenue", "phone", "city"} <= paid


def test_a_question_is_worth_what_its_fields_are_worth_together() -> None:
    pay_for = EntityPayFor.model_validate({"most": {"title": 1, "mobilePhone": 3, "city": None}})
    assert pay_for.affords({"title"}, 1)
    assert not pay_for.affords({"title"}, 2)
    assert pay_for.affords({"title", "mobilePhone"}, 4)
    assert not pay_for.affords({"title", "mobilePhone"}, 5)
    assert pay_for.affords({"title", "city"}, 9)
    assert not pay_for.affords(set(), 0)


def test_fields_may_be_given_as_a_bare_list_and_are_shown_in_full() -> None:
    config = parse_config({"payFor": {"lead": ["title", "email"]}}, [])
    assert config.as_json()["payFor"]["lead"] == {"fields": ["title", "email"], "most": {}}
    assert config.pay_for.of(EntityType.CONTACT).fields is None


def test_every_unknown_field_is_named_by_its_path() -> None:
    body = {"payFor": {"lead": {"fields": ["title", "shoeSize"], "most": {"hat": 1}}, "account": ["email"]}}
    with pytest.raises(InvalidConfig) as refused:
        parse_config(body, [])
    assert [path for path, _ in refused.value.faults] == [
        "payFor.lead.fields[1]",
        "payFor.lead.most.hat",
        "payFor.account.fields[0]",
    ]
