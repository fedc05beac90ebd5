"""The settings of this installation, read from the environment: the service's, and those of its paid providers."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import Field, SecretStr, ValidationError, create_model

from providers.declaration import ProviderDeclaration
from providers.registry import declared_providers
from service.settings import PREFIX, BadSettings, Settings


@cache
def settings_class() -> type[Settings]:
    """The settings of this installation: the service's, and those of every paid provider that is declared."""
    fields = {name: field for declaration in declared_providers() for name, field in _fields_of(declaration)}
    return create_model("Settings", __base__=Settings, **fields)


def _fields_of(declaration: ProviderDeclaration) -> Iterator[tuple[str, Any]]:
    """A provider's key, its address and what is its own, as fields of the settings."""
    provider_id, name = declaration.info.id, declaration.info.name
    key = f"key of {name} for organizations without their own"
    yield f"{provider_id}_api_key", (SecretStr | None, Field(None, description=key))
    yield f"{provider_id}_base_url", (str | None, Field(None, description=f"address in place of {name}'s own"))
    for setting in declaration.settings:
        yield f"{provider_id}_{setting.name}", (setting.kind | None, Field(None, description=setting.description))


def load_settings(**changes: Any) -> Settings:
    """The settings of the environment, with `changes` over them. Raises BadSettings."""
    try:
        return settings_class()(**changes)
    except ValidationError as error:
        raise BadSettings(_faults(error)) from None


def _faults(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_input=False, include_url=False):
        message = fault["msg"].removeprefix("Value error, ")
        name = PREFIX + str(fault["loc"][0]).upper() if fault["loc"] else PREFIX.rstrip("_")
        yield (
            f"{name}: {message[:1].lower()}{message[1:]}" if fault["type"] != "value_error" else f"{name}: {message}"
        )
