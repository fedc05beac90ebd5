"""What is wrong with a configuration is said in words of our own."""

from typing import Any

import pytest

from enrichment.config import InvalidConfig, parse_config
from enrichment.config.messages import message_of


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"minConfidence": 3}, "must be at most 1"),
        ({"minConfidence": "high"}, "must be a number"),
        ({"minConfidence": float("nan")}, "must be a finite number"),
        ({"cooldownHours": 1.5}, "must be a whole number"),
        ({"enabled": "perhaps"}, "must be true or false"),
        ({"providers": 7}, "must be a list"),
        ({"triggers": 7}, "must be an object"),
        ({"strategy": "both"}, "must be one of 'waterfall' or 'consensus'"),
        ({"surprise": 1}, "unknown key"),
        ({"providers": [{}]}, "is missing"),
    ],
)
def test_a_fault_is_said_in_our_words(body: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidConfig) as refused:
        parse_config(body, ())
    assert message in [said for _, said in refused.value.faults]


def test_what_our_own_rules_say_is_left_as_it_is_and_the_unknown_is_said_plainly() -> None:
    assert message_of({"type": "value_error", "msg": "Value error, must be odd"}) == "must be odd"
    assert message_of({"type": "of_a_later_version", "msg": "Input is strange"}).startswith("cannot be read")
