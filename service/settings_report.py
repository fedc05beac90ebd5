"""The settings as an operator sees them: each with its value, secrets hidden, and variables that no setting reads."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from service.installation_settings import settings_class
from service.settings import PREFIX, TEST_PREFIX, TOKEN_VARIABLE, Settings


def unknown_variables(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Variables with our prefix that are no setting: most likely a typing error."""
    known = {TOKEN_VARIABLE, *(PREFIX + name.upper() for name in settings_class().model_fields)}
    upper = {name.upper(): name for name in environ}
    return sorted(
        name
        for key, name in upper.items()
        if key.startswith(PREFIX) and key not in known and not key.startswith(TEST_PREFIX)
    )


def described(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """For each setting its variable, its value as it may be shown, and what it is for."""
    for name, field in type(settings).model_fields.items():
        yield PREFIX + name.upper(), shown(getattr(settings, name)), field.description or ""


def shown(value: Any) -> str:
    """A value as it may be printed: secrets hidden, of a URL only its password."""
    match value:
        case None:
            return ""
        case SecretStr():
            text = value.get_secret_value()
            return without_password(text) if "://" in text else "********"
        case bool():
            return "true" if value else "false"
        case dict():
            return ",".join(f"{key}={item}" for key, item in value.items())
        case tuple():
            return ",".join(value)
        case _:
            return str(value)


def without_password(url: str) -> str:
    """The URL with any password in it hidden."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    credentials, at, host = authority.rpartition("@")
    path = path.partition("?")[0]  # options may hold a password as well
    if not at:
        return f"{scheme}://{authority}{slash}{path}"
    user = credentials.partition(":")[0]
    return f"{scheme}://{user}:********@{host}{slash}{path}"
