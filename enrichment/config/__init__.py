"""An organization's rules: what is enriched, when, by which providers, and what may be written.

The JSON form is the REST body of `/config`. Keys are camelCase; enum values are accepted in any case.
"""

from enrichment.config.changes import differences, merge
from enrichment.config.config import Config, default_config
from enrichment.config.field_policies import EntityPolicies, FieldPolicies, Rule
from enrichment.config.limits import Backoff, CreditRules, MaybeCharged, ProviderRule
from enrichment.config.parse import InvalidConfig, parse_config
from enrichment.config.review_rules import ReviewRule, RuleAction
from enrichment.config.spending import EntityPayFor, PayFor, QuestionOrder
from enrichment.config.triggers import EntityTypes, Refresh, Triggers

__all__ = [
    "Backoff",
    "Config",
    "CreditRules",
    "EntityPayFor",
    "EntityPolicies",
    "EntityTypes",
    "FieldPolicies",
    "InvalidConfig",
    "MaybeCharged",
    "PayFor",
    "ProviderRule",
    "QuestionOrder",
    "Refresh",
    "ReviewRule",
    "Rule",
    "RuleAction",
    "Triggers",
    "default_config",
    "differences",
    "merge",
    "parse_config",
]
