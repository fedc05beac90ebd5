"""What an answer of a provider costs: by the provider's own figure where there is one, else by its price.

Where the operator has set the provider's price, that stays the charge.
"""

import math

from providers.api import ProviderInfo


def consumed(info: ProviderInfo, stated: float | None) -> int | None:
    """The whole credits of a figure that settles the charge; None where there is none, or the operator's price does."""
    return None if stated is None or info.operator_priced else math.ceil(round(max(stated, 0.0), 6))


def cost_of_answer(
    info: ProviderInfo, *, matched: bool, extra: bool = False, uncounted: bool = False, stated: float | None = None
) -> int:
    """The credits of an answer; `extra`: with what costs more; `uncounted`: free, whatever the provider counts."""
    figure = consumed(info, stated)
    if figure is not None:
        return figure
    price = info.price + (info.extra_price if extra else 0)
    return price if matched or (info.counts_misses and not uncounted) else 0
