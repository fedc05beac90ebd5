"""The providers of this installation: built in, declared, described in JSON, and of plug-ins."""

import os
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from arq.connections import ArqRedis

from models.provider_state import note_credits
from providers.api import Provider
from providers.declaration import AdapterContext, ProviderDeclaration
from providers.described.file import DescriptionError
from providers.described.provider import Described, load_described
from providers.directory.file import DirectoryFileError
from providers.http.adapter import Adapter, CallbackAdapter
from providers.http.client import HttpClient
from providers.http.provider import CallbackProvider, HttpProvider
from providers.http.rate_limit import RateLimiter, RedisRateLimiter
from providers.plugins import load_plugins
from providers.registry import ProviderSettings, Registry, declared_providers, default_registry
from resolvers.provider.callback_urls import CallbackUrls
from resolvers.provider.keys import StoredKeys
from resolvers.secret_box import SecretBox
from service.auth.shared_secret import kept_secret
from service.provider_settings import GivenSettings, declared_settings, environment_settings
from service.settings import PREFIX, BadSettings, Settings

ENCRYPTION_FILE = "encryption-key"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sources:
    """The providers, the secret box that opens their keys, and the connections to close at the end."""

    registry: Registry
    secret_box: SecretBox | None
    keys: StoredKeys
    http_client: HttpClient
    callback_urls: CallbackUrls | None

    @property
    def shared_keys(self) -> frozenset[str]:
        """The providers that the installation has a key for."""
        return frozenset(self.keys.shared)


def open_sources(settings: Settings, redis: ArqRedis, *, paid_callbacks: bool = False) -> Sources:
    """Everything that can be asked; `paid_callbacks` as in AdapterContext.

    Raises BadSettings for a price, an address or a description that cannot be.
    """
    secret_box = open_secret_box(settings)
    callback_urls = _open_callback_urls(settings, secret_box)
    declarations, built_in = declared_providers(), _built_in(settings)
    taken_ids = {declaration.info.id for declaration in declarations} | {provider.info.id for provider in built_in}
    descriptions = _described(settings.described_providers, taken_ids)
    taken_ids |= {description.info.id for description in descriptions}
    plugins = load_plugins(os.environ, taken_ids=taken_ids, development=not settings.production)
    given = {declaration.info.id: declared_settings(settings, declaration) for declaration in declarations}
    undeclared = [member.info.id for member in (*descriptions, *plugins.adapters)]
    undeclared += [provider.info.id for provider in plugins.providers]
    given |= {provider_id: environment_settings(provider_id) for provider_id in undeclared}
    shared = {provider_id: values.api_key for provider_id, values in given.items() if values.api_key is not None}
    keys = StoredKeys(secret_box, shared)
    connector = _Connector(settings, given, _open_client(settings), keys, RedisRateLimiter(redis), paid_callbacks)
    members = (
        *built_in,
        *(connector.declared(declaration) for declaration in declarations),
        *map(connector.connect, descriptions),
        *plugins.providers,
        *_without_broken(connector, plugins.adapters),
    )
    _check_prices(settings, members, declarations)
    registry = Registry(members, off=set(_off(members, declarations, shared)))
    return Sources(registry, secret_box, keys, connector.http_client, callback_urls)


@dataclass(frozen=True, slots=True)
class _Connector:
    """Makes providers of adapters: with connections, keys, rate limits, addresses and prices."""

    settings: Settings
    given: Mapping[str, GivenSettings]
    http_client: HttpClient
    keys: StoredKeys
    rate_limiter: RateLimiter
    paid_callbacks: bool

    def declared(self, declaration: ProviderDeclaration) -> Provider:
        """The provider of a declaration."""
        own = self.given[declaration.info.id].own
        adapter = declaration.make(AdapterContext(own, self.settings.public_url is not None, self.paid_callbacks))
        extra_price_id = declaration.extra_price_id if adapter.info.extra_price else None
        return self.connect(adapter, extra_price_id)

    def connect(self, adapter: Adapter, extra_price_id: str | None = None) -> Provider:
        """The provider of an adapter. Raises BadSettings for an address that it cannot have."""
        provider_id, prices = adapter.info.id, self.settings.provider_prices
        make = CallbackProvider if isinstance(adapter, CallbackAdapter) else HttpProvider
        try:
            return make(
                adapter,
                self.http_client,
                self.keys,
                _bases(adapter.bases, self.given[provider_id].base_url),
                prices.get(provider_id),
                extra_price=prices.get(extra_price_id) if extra_price_id else None,
                rate_limiter=self.rate_limiter,
                note_credits=_note_credits,
            )
        except ValueError as error:
            raise BadSettings([f"{PREFIX}{provider_id.upper()}_BASE_URL: {error}"]) from error


def _check_prices(
    settings: Settings, members: Collection[Provider], declarations: Iterable[ProviderDeclaration]
) -> None:
    """Raises BadSettings for a price of no provider."""
    known = [provider.info.id for provider in members]
    extras = {declaration.extra_price_id for declaration in declarations}
    if unknown := sorted(settings.provider_prices.keys() - extras - set(known)):
        there_are = ", ".join(known)
        raise BadSettings([f"{PREFIX}PROVIDER_PRICES: no provider {', '.join(unknown)}; there are {there_are}"])


def _off(
    members: Iterable[Provider], declarations: Iterable[ProviderDeclaration], shared: Container[str]
) -> Iterator[str]:
    """The providers that a new organization starts without: those that lack a key, or that it has to choose."""
    yield from (declaration.info.id for declaration in declarations if not declaration.on_with_shared_key)
    yield from (provider.info.id for provider in members if provider.info.needs_key and provider.info.id not in shared)


def _open_client(settings: Settings) -> HttpClient:
    try:
        return HttpClient(development=not settings.production, ca_file=settings.ca_file)
    except ValueError as error:
        raise BadSettings([f"{PREFIX}CA_FILE: {error}"]) from error


def _without_broken(connector: _Connector, adapters: Iterable[Adapter]) -> Iterator[Provider]:
    """The providers of plug-ins; a plug-in whose address cannot be used is left out, as any broken plug-in."""
    for adapter in adapters:
        try:
            yield connector.connect(adapter)
        except BadSettings as error:
            _log.error("plug-in left out", provider=adapter.info.id, reason=str(error))


def _built_in(settings: Settings) -> list[Provider]:
    own = {name: price for name, price in settings.provider_prices.items() if name in _BUILT_IN}
    try:
        registry = default_registry(
            ProviderSettings(
                directory_file=settings.directory_file,
                directory_archive_file=settings.directory_archive_file,
                prices=own,
            )
        )
    except DirectoryFileError as error:
        raise BadSettings([f"{PREFIX}DIRECTORY_FILE or {PREFIX}DIRECTORY_ARCHIVE_FILE: {error}"]) from error
    return list(registry)


_BUILT_IN = frozenset({"directory", "directory_archive", "signals"})


def _bases(bases: Mapping[str, str], base: str | None) -> dict[str, str]:
    """The addresses to use: an operator's replaces them all, so that none points at the real host unseen."""
    return dict.fromkeys(bases, base) if base is not None else {}


def _described(path: Path | None, taken_ids: Collection[str]) -> tuple[Described, ...]:
    if path is None:
        return ()
    try:
        return load_described(path, taken_ids)
    except (DescriptionError, OSError) as error:
        raise BadSettings([f"{PREFIX}DESCRIBED_PROVIDERS: {error}"]) from error


async def _note_credits(organization_id: str, provider_id: str, left: float) -> None:
    await note_credits(organization_id, provider_id, left, datetime.now(UTC))


def _open_callback_urls(settings: Settings, secret_box: SecretBox | None) -> CallbackUrls | None:
    """What makes and opens the addresses for answers that providers send later."""
    if settings.public_url is None:
        return None
    if secret_box is None:
        raise BadSettings([f"{PREFIX}PUBLIC_URL: needs {PREFIX}ENCRYPTION_KEY, which signs the addresses below it"])
    return CallbackUrls(settings.public_url, secret_box.secret)


def open_secret_box(settings: Settings) -> SecretBox | None:
    """What seals organizations' keys: with ENCRYPTION_KEY, or in development with a secret kept in DATA_DIR."""
    if settings.encryption_key is not None:
        return SecretBox(settings.encryption_key.get_secret_value().encode())
    if settings.production:
        return None
    return SecretBox(kept_secret(settings.data_dir / ENCRYPTION_FILE).encode())
