"""The settings of single providers in the environment: a key, an address, and settings of a provider's own.

The settings of declared providers are fields of `service.installation_settings.settings_class()`. A described provider
`erp` takes `AUTO_ENRICHMENT_ERP_API_KEY` and `AUTO_ENRICHMENT_ERP_BASE_URL`; a plug-in any other setting of its own as
well.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from providers.declaration import ProviderDeclaration, SettingValue
from providers.described.file import DescriptionError, read_descriptions
from providers.plugins import is_secret, plugin_names
from service.settings import PREFIX, Settings
from service.settings_report import shown, unknown_variables

_KEY, _BASE = "API_KEY", "BASE_URL"


@dataclass(frozen=True, slots=True)
class GivenSettings:
    """What the environment says for one provider; `own` are the settings that only this one has."""

    api_key: str | None = None
    base_url: str | None = None
    own: Mapping[str, SettingValue] = field(default_factory=dict)


def declared_settings(settings: Settings, declaration: ProviderDeclaration) -> GivenSettings:
    """What the environment gives a declared provider."""
    provider_id = declaration.info.id
    key: SecretStr | None = getattr(settings, f"{provider_id}_api_key")
    return GivenSettings(
        None if key is None else key.get_secret_value(),
        getattr(settings, f"{provider_id}_base_url"),
        {setting.name: getattr(settings, f"{provider_id}_{setting.name}") for setting in declaration.settings},
    )


def environment_settings(provider_id: str, environ: Mapping[str, str] = os.environ) -> GivenSettings:
    """The key and the address that the environment gives a described provider or a plug-in."""
    given = _given(environ)
    return GivenSettings(given.get(_variable(provider_id, _KEY)), given.get(_variable(provider_id, _BASE)))


def unknown(settings: Settings, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Variables with our prefix that no setting, no described provider and no plug-in has."""
    own = {_variable(name, kind) for name in _described(settings) for kind in (_KEY, _BASE)}
    prefixes = tuple(_variable(name, "") for name in plugin_names())
    return [
        name
        for name in unknown_variables(environ)
        if name.upper() not in own and not (prefixes and name.upper().startswith(prefixes))
    ]


def listed(settings: Settings, environ: Mapping[str, str] = os.environ) -> Iterator[tuple[str, str, str]]:
    """For each of these settings its variable, its value as it may be shown, and what it is for."""
    given = _given(environ)
    names = plugin_names()
    for name in (*_described(settings), *names):
        for kind, purpose in (
            (_KEY, "key of {} for organizations without their own"),
            (_BASE, "address in place of {}'s own"),
        ):
            variable = _variable(name, kind)
            yield variable, _shown(variable, given.get(variable)), purpose.format(name)
    usual = {_variable(name, kind) for name in names for kind in (_KEY, _BASE)}
    for name in names:
        for variable in sorted(given):
            if variable.startswith(_variable(name, "")) and variable not in usual:
                yield variable, _shown(variable, given[variable]), f"setting of the plug-in {name}"


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    return {name.upper(): value for name, value in environ.items() if value and name.upper().startswith(PREFIX)}


def _variable(provider_id: str, kind: str) -> str:
    return PREFIX + re.sub(r"\W", "_", provider_id).upper() + "_" + kind


def _shown(variable: str, value: str | None) -> str:
    return "********" if value and is_secret(variable.removeprefix(PREFIX)) else shown(value)


def _described(settings: Settings) -> list[str]:
    """The ids of the described providers; faults of their file are reported where it is loaded."""
    if settings.described_providers is None:
        return []
    try:
        return [description.id for description in read_descriptions(settings.described_providers)]
    except (DescriptionError, OSError):
        return []
