"""What of a changed configuration a replay cannot tell, and what it assumes instead."""

from collections.abc import Mapping
from typing import Any

from enrichment.config import Config, differences

# By path of the configuration: what a replay cannot tell when it differs from what was in force.
_OF_CONFIG = {
    "enabled": "jobs that were not started then are not known",
    "entityTypes": "jobs that were not started then are not known",
    "triggers": "jobs that were not started then are not known",
    "refresh": "which records a refresh takes is as it was",
    "maxAttempts": "jobs have as many attempts as they had",
    "backoff": "jobs wait as long as they waited",
    "maybeCharged": "calls that may have been charged are held or repeated as they were",
    "credits.monthlyLimit": "calls are refused for want of credits where they were, and nowhere else",
    "credits.dailyLimit": "calls are refused for want of credits where they were, and nowhere else",
}
_OF_PROVIDERS = {
    "dailyLimit": "calls are refused for want of credits where they were, and nowhere else",
    "answerDays": "cached answers are reused where they were, and nowhere else",
    "minMatchRate": "whom the break-even guard left alone is as it was",
    "matchRateOver": "whom the break-even guard left alone is as it was",
}


def not_replayed(config: Config, in_force: Mapping[int, Config]) -> list[str]:
    """What differs from the rules that were in force and cannot be told: the path, and what is assumed for it."""
    found: dict[str, None] = {}
    wanted = config.as_json()
    for past in in_force.values():
        was = past.as_json()
        for path, change in differences(was, wanted).items():
            reason = next((why for start, why in _OF_CONFIG.items() if f"{path}.".startswith(f"{start}.")), None)
            if reason is not None and not _only_less(path, change["from"], change["to"]):
                found[f"{path}: {reason}"] = None
        before = {rule["id"]: rule for rule in was["providers"]}
        for rule in wanted["providers"]:
            for key, reason in _OF_PROVIDERS.items():
                if rule["id"] in before and before[rule["id"]][key] != rule[key]:
                    found[f"providers.{rule['id']}.{key}: {reason}"] = None
    return list(found)


def _only_less(path: str, was: Any, now: Any) -> bool:
    """Whether a change only takes jobs away, which a replay can tell."""
    if path == "triggers.refreshAfterDays":
        return was is not None and (now is None or now > was)
    return was is True and now is False
