"""The rules of each field, looked up once: the same as one by one, and never those of another configuration."""

import pytest

from enrichment.catalogue import fields_of
from enrichment.config import Config, parse_config
from enrichment.enums import EntityType

BODY = {
    "minConfidence": 0.7,
    "fieldPolicies": {
        "account": {"default": "tracked", "fields": {"city": {"policy": "never"}, "name": {"policy": "review"}}},
        "lead": {"default": "fill_empty", "fields": {"title": {"policy": "overwrite", "minConfidence": 0.2}}},
    },
    "rules": [
        {"entityType": "account", "field": "city", "action": "keep", "provider": "directory", "minConfidence": 0.1},
        {"entityType": "account", "field": "city", "action": "accept", "provider": "directory", "minConfidence": 0.9},
        {"entityType": "lead", "field": "city", "action": "accept", "provider": "directory", "minConfidence": 0.9},
    ],
}


@pytest.fixture
def config() -> Config:
    return parse_config(BODY, ["directory"])


def test_they_are_what_the_configuration_says_of_each_field(config: Config) -> None:
    for entity_type in EntityType:
        assert list(config.by_field[entity_type]) == list(fields_of(entity_type))
        for name, rules in config.by_field[entity_type].items():
            assert rules.rule == config.rule(entity_type, name)
            assert rules.minimum == config.minimum(entity_type, name)
            assert list(rules.reviews) == config.rules_of(entity_type, name)


def test_they_are_looked_up_once(config: Config) -> None:
    assert config.by_field is config.by_field


def test_a_copy_with_other_parts_has_its_own(config: Config) -> None:
    assert config.by_field[EntityType.ACCOUNT]["phone"].minimum == 0.7
    stricter = config.model_copy(update={"min_confidence": 0.9})
    assert stricter.by_field[EntityType.ACCOUNT]["phone"].minimum == 0.9
    assert config.by_field[EntityType.ACCOUNT]["phone"].minimum == 0.7


def test_having_looked_them_up_makes_a_configuration_no_other(config: Config) -> None:
    untouched = parse_config(BODY, ["directory"])
    assert config.by_field
    assert config == untouched
    assert config.as_json() == untouched.as_json()
