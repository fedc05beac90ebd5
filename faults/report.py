"""The table that a run prints."""

from collections.abc import Sequence

from faults.checks import Check

_MOST_LISTED = 20


def as_text(checks: Sequence[Check], struck: Sequence[str]) -> str:
    """What was done, then one line a check with what was seen, then each fault that was found."""
    width = max(len(check.name) for check in checks)
    lines = [f"{len(struck)} faults were made:", *(f"  {text}" for text in sorted(struck)), ""] if struck else []
    lines += [
        f"{check.name:<{width}}  {f'{len(check.faults)} FAULTS' if check.faults else 'holds':<10}  {check.seen}"
        for check in checks
    ]
    for check in checks:
        if check.faults:
            lines += ["", f"{check.name}:", *(f"  {fault}" for fault in check.faults[:_MOST_LISTED])]
            if len(check.faults) > _MOST_LISTED:
                lines.append(f"  … and {len(check.faults) - _MOST_LISTED} more")
    return "\n".join(lines)
