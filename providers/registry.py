"""The providers of an installation: those without a network by name, the paid ones by the folders that declare them."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules

import providers
from providers.abilities import Abilities
from providers.api import Provider, ProviderInfo
from providers.declaration import ProviderDeclaration
from providers.directory.directory import Directory
from providers.signals import Signals


class Registry:
    """The providers by id, in the order in which they are asked unless a configuration says otherwise."""

    def __init__(self, members: Iterable[Provider], *, off: Collection[str] = ()) -> None:
        self.off = frozenset(off)  # not switched on in a new organization's configuration
        self._providers: dict[str, Provider] = {}
        for provider in members:
            if provider.info.id in self._providers:
                raise ValueError(f"two providers are called {provider.info.id}")
            self._providers[provider.info.id] = provider
        self._abilities = {known: Abilities.of(provider) for known, provider in self._providers.items()}
        self.names: Mapping[str, str] = {known: provider.info.name for known, provider in self._providers.items()}

    def get(self, provider_id: str) -> Provider | None:
        return self._providers.get(provider_id)

    def abilities(self, provider_id: str) -> Abilities:
        """What this provider can do besides. Raises KeyError for one that is not here."""
        return self._abilities[provider_id]

    def ids(self) -> tuple[str, ...]:
        return tuple(self._providers)

    def info(self, provider_id: str) -> ProviderInfo | None:
        provider = self._providers.get(provider_id)
        return provider.info if provider else None

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._providers.values())


@dataclass(frozen=True)
class ProviderSettings:
    """What an operator sets: files in place of the packaged directories, and prices in credits by provider id."""

    directory_file: Path | None = None
    directory_archive_file: Path | None = None
    prices: Mapping[str, int] = field(default_factory=dict)


def default_registry(settings: ProviderSettings) -> Registry:
    """The providers that need no network.

    Raises DirectoryFileError for a file that cannot be used, ValueError for a price of no provider or below 0.
    """
    registry = Registry(
        (
            _directory("directory", "Directory", settings.directory_file),
            _directory("directory_archive", "Directory archive", settings.directory_archive_file),
            Signals(),
        )
    )
    for provider_id, price in settings.prices.items():
        provider = registry.get(provider_id)
        if not isinstance(provider, Directory | Signals):
            raise ValueError(f"a price for {provider_id}, which is no provider")
        if price < 0:
            raise ValueError(f"the price of {provider_id} is below 0")
        provider.info = replace(provider.info, price=price)
    return registry


@cache
def declared_providers() -> tuple[ProviderDeclaration, ...]:
    """The declarations of all paid providers, in the order in which they are asked.

    Each folder of `providers` with a module `declaration` is one. Raises ValueError for one that cannot be used.
    """
    folders = sorted(module.name for module in iter_modules(providers.__path__) if module.ispkg)
    found = [_declaration(folder) for folder in folders if find_spec(f"providers.{folder}.declaration")]
    return tuple(sorted(found, key=lambda declaration: (declaration.order, declaration.info.id)))


def _declaration(folder: str) -> ProviderDeclaration:
    module = f"providers.{folder}.declaration"
    declaration = getattr(import_module(module), "DECLARATION", None)
    if not isinstance(declaration, ProviderDeclaration):
        raise ValueError(f"{module} holds no DECLARATION")
    info = declaration.info
    if info.id != folder:
        raise ValueError(f"{module}: the id of its provider is {info.id}, and should be the folder's name")
    if not (info.remote and info.needs_key):
        raise ValueError(f"{module}: its provider should be remote and need a key")
    return declaration


def _directory(directory_id: str, name: str, path: Path | None) -> Directory:
    return Directory.of_file(directory_id, name, path) if path else Directory.packaged(directory_id, name)
