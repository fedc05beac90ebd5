"""What a paid provider declares of itself, in the module `declaration` of its own folder.

`DECLARATION` there is all that an installation needs: `providers.registry` finds it, and settings, registration and
the README's table of providers follow from it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from providers.api import ProviderInfo
from providers.http.adapter import Adapter

SettingValue = bool | int | str | None

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_OF_EVERY_PROVIDER = frozenset({"api_key", "base_url"})


@dataclass(frozen=True, slots=True)
class ProviderSetting:
    """A setting that one provider has beside its key and its address: `AUTO_ENRICHMENT_<ID>_<NAME>`.

    It is a value of `kind`, or None where the environment names none. Raises ValueError for a name that cannot be.
    """

    name: str  # in small letters
    kind: type[bool] | type[int] | type[str]
    description: str  # plain words, for `auto-enrichment settings`

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name in _OF_EVERY_PROVIDER:
            raise ValueError(f"{self.name} cannot be the name of a provider's own setting")


@dataclass(frozen=True, slots=True)
class AdapterContext:
    """What an installation says to a provider that it sets up."""

    settings: Mapping[str, SettingValue] = field(default_factory=dict)  # its own ones, by name
    receives_callbacks: bool = False  # whether providers can send answers to the installation
    paid_callbacks: bool = False  # whether it relies on asking for what costs more without a setting, from before 0.2.0


@dataclass(frozen=True, slots=True)
class ProviderDeclaration:
    """One paid provider. Its id, name and prices are those of the adapter's `info`."""

    make: Callable[[AdapterContext], Adapter]
    order: int  # the lower, the earlier it is asked, unless a configuration says otherwise
    settings: tuple[ProviderSetting, ...] = ()
    extra_price: str | None = None  # PROVIDER_PRICES sets `ProviderInfo.extra_price` as `<id>_<extra_price>`
    on_with_shared_key: bool = True  # whether the installation's key switches it on for a new organization

    @property
    def info(self) -> ProviderInfo:
        """What the provider says of itself where no setting changes it."""
        return self.make(AdapterContext()).info

    @property
    def extra_price_id(self) -> str | None:
        """What PROVIDER_PRICES calls the price of its extra; None for a provider without one."""
        return None if self.extra_price is None else f"{self.info.id}_{self.extra_price}"
