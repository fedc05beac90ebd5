"""Seniority and department read from a job title, in English, German, French, Spanish and their neighbours.

Titles are folded to plain ASCII first, so rules are written without accents. Within a table the first rule
that matches decides: the order says which word weighs more ("VP Sales" is a VP, a "Sales Engineer" sells).
"""

import re
from functools import lru_cache

from anyascii import anyascii

from providers.titles.department_rules import DEPARTMENT_RULES
from providers.titles.positions import C_LEVEL
from providers.titles.rule import Label, first_label
from providers.titles.seniority_rules import SENIORITY_RULES

_LONGEST = 200
_GENDER_MARK = re.compile(r"\(\s?[mwfdxh](?:\s?[/|]\s?[mwfdx])+\s?\)|(?<=\w)[:*_/](?:in|innen)\b")
_SEPARATORS = re.compile(r"[^a-z0-9&+]+")
_BOSS = (
    rf"(?:{C_LEVEL}|president|board|managing directors?|founders?|chief \w+(?: \w+)? officer|direction|pdg|"
    r"gesch(?:a|ae)ftsf(?:u|ue)hr\w*|gesch(?:a|ae)ftsleitung|vorstands?)"
)
# "Assistant to the CEO" and "Manager, Office of the CTO" name somebody else's seniority.
_SOMEBODY_ELSE = re.compile(
    rf"\b(?:office|bureau|buro) (?:of|du|de la|der|des) (?:the )?{_BOSS}\b"
    rf"|\b(?:to|for|an|zur|du|de la|der|des|del) (?:the |our )?{_BOSS}\b"
)


def _folded(title: str) -> str:
    """The title in plain ASCII and small letters, without gender marks and without somebody else's position."""
    text = _GENDER_MARK.sub("", anyascii(title[:_LONGEST]).casefold())
    return _SOMEBODY_ELSE.sub(" ", _SEPARATORS.sub(" ", text).strip()).strip()


@lru_cache(maxsize=4096)
def seniority(title: str) -> Label | None:
    """How senior the holder of `title` is; None where the title does not say."""
    return first_label(SENIORITY_RULES, _folded(title))


@lru_cache(maxsize=4096)
def department(title: str) -> Label | None:
    """Which part of a company the holder of `title` works in; None where the title does not say."""
    return first_label(DEPARTMENT_RULES, _folded(title))
