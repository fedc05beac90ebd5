"""A stored configuration is read by every version that runs beside the one that wrote it."""

import pytest

from enrichment.config import default_config
from enrichment.config.parse import InvalidConfig, parse_config
from resolvers.organizations import read_config


def test_keys_of_a_newer_version_are_passed_over_where_they_are_stored_and_refused_where_they_are_sent() -> None:
    config = default_config(["directory"])
    stored = config.as_json()
    newer = {**stored, "newKey": 1, "credits": {**stored["credits"], "newLimit": {"a": 1}}}
    newer["providers"] = [{**provider, "newKey": True} for provider in stored["providers"]]
    assert read_config(newer) == config
    with pytest.raises(InvalidConfig, match="newKey"):
        parse_config(newer, ["directory"])
