"""A rule for job titles: the words that it looks for, and what they say."""

import re
from collections.abc import Iterable
from typing import NamedTuple


class Label(NamedTuple):
    """What a title says, and how sure the wording makes us (0-1)."""

    label: str
    confidence: float


class Rule(NamedTuple):
    """The label of titles that hold the pattern."""

    label: Label
    pattern: re.Pattern[str]


def rule(label: str, confidence: float, words: str, *, but_not_before: str = "") -> Rule:
    """A rule for any of `words`: one pattern each, separated by " | " or a line break.

    `but_not_before` is a pattern of the next word; a title in which it follows is none of this rule.
    """
    alternatives = [word.strip() for line in words.splitlines() for word in line.split(" | ") if word.strip()]
    unless = rf"(?! (?:{but_not_before}))" if but_not_before else ""
    return Rule(Label(label, confidence), re.compile(rf"\b(?:{'|'.join(alternatives)})\b{unless}"))


def first_label(rules: Iterable[Rule], title: str) -> Label | None:
    """The label of the first rule that the folded title matches; None where none does."""
    return next((rule.label for rule in rules if rule.pattern.search(title)), None)
