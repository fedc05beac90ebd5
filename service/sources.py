"""The providers of this installation: built in, behind HTTP, described in JSON, and of plug-ins."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from arq.connections import ArqRedis

from models.db.columns import to_micros
from models.provider_state import note_credits
from providers.api import Provider
from providers.apollo.adapter import Apollo
from providers.clearbit.adapter import Clearbit
from providers.crunchbase.adapter import Crunchbase
from providers.described.file import DescriptionError
from providers.described.provider import Described, load_described
from providers.directory.file import DirectoryFileError
from providers.http.adapter import Adapter, CallbackAdapter
from providers.http.client import HttpClient
from providers.http.provider import CallbackProvider, HttpProvider
from providers.http.rate_limit import RedisRateLimiter
from providers.hunter.adapter import Hunter
from providers.peopledatalabs.adapter import PeopleDataLabs
from providers.plugins import load_plugins
from providers.registry import ProviderSettings, Registry, default_registry
from providers.zoominfo.adapter import ZoomInfo
from resolvers.provider.callback_urls import CallbackUrls
from resolvers.provider.keys import StoredKeys
from resolvers.secret_box import SecretBox
from service.auth.tokens import kept_secret
from service.provider_settings import settings_of
from service.settings import PAID_PROVIDERS, PREFIX, BadSettings, Settings

ENCRYPTION_FILE = "encryption-key"
PHONES_PRICE = "apollo_phones"  # in PROVIDER_PRICES: what a phone number costs more than a match

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sources:
    """The providers, what opens keys for them, and the connections to close at the end."""

    registry: Registry
    sealer: SecretBox | None
    keys: StoredKeys
    transport: HttpClient
    callbacks: CallbackUrls | None

    @property
    def shared_keys(self) -> frozenset[str]:
        """The providers that the installation has a key for."""
        return frozenset(self.keys.shared)


def open_sources(settings: Settings, redis: ArqRedis) -> Sources:
    """Everything that can be asked. Raises BadSettings for a price, an address or a description that cannot be."""
    sealer = open_sealer(settings)
    callbacks = _open_callbacks(settings, sealer)
    development = not settings.production
    built_in = _built_in(settings)
    descriptions = _described(settings.described_providers, built_in)
    taken = {*PAID_PROVIDERS, *(one.info.id for one in built_in), *(one.info.id for one in descriptions)}
    plugins = load_plugins(os.environ, taken=taken, development=development)
    infos = [
        *(adapter.info for adapter in (*descriptions, *plugins.adapters)),
        *(provider.info for provider in plugins.providers),
    ]
    own = {info.id: settings_of(info.id) for info in infos}
    shared = {name: key for name in PAID_PROVIDERS if (key := settings.provider_key(name)) is not None}
    shared |= {name: given.api_key for name, given in own.items() if given.api_key is not None}
    transport = _transport(settings)
    politeness = RedisRateLimiter(redis)
    keys = StoredKeys(sealer, shared)

    def source(adapter: Adapter) -> Provider:
        given = own.get(adapter.info.id)
        base = given.base_url if given else settings.provider_base_url(adapter.info.id)
        price = settings.provider_prices.get(adapter.info.id)
        make = CallbackProvider if isinstance(adapter, CallbackAdapter) else HttpProvider
        try:
            return make(
                adapter,
                transport,
                keys,
                _bases(adapter.bases, base),
                price,
                extra_price=settings.provider_prices.get(PHONES_PRICE) if adapter.info.extra_price else None,
                politeness=politeness,
                note_credits=_note_credits,
            )
        except ValueError as error:
            raise BadSettings([f"{PREFIX}{adapter.info.id.upper()}_BASE_URL: {error}"]) from error

    apollo = Apollo(phones=settings.asks_apollo_for_phones)
    adapters: tuple[Adapter, ...] = (apollo, PeopleDataLabs(), Hunter(), ZoomInfo(), Crunchbase(), Clearbit())
    others = [*plugins.providers, *_without_broken(source, plugins.adapters)]
    everyone = [*built_in, *map(source, (*adapters, *descriptions)), *others]
    unknown = sorted(set(settings.provider_prices) - {PHONES_PRICE} - {provider.info.id for provider in everyone})
    if unknown:
        known = ", ".join(provider.info.id for provider in everyone)
        raise BadSettings([f"{PREFIX}PROVIDER_PRICES: no provider {', '.join(unknown)}; there are {known}"])
    off = {provider.info.id for provider in everyone if provider.info.needs_key} - shared.keys()
    return Sources(Registry(everyone, off=off | {"clearbit"}), sealer, keys, transport, callbacks)


def _transport(settings: Settings) -> HttpClient:
    try:
        return HttpClient(development=not settings.production, ca_file=settings.ca_file)
    except ValueError as error:
        raise BadSettings([f"{PREFIX}CA_FILE: {error}"]) from error


def _without_broken(source: Callable[[Adapter], Provider], adapters: Iterable[Adapter]) -> Iterator[Provider]:
    """The sources of plug-ins; one whose address cannot be used is left out, as any that is broken."""
    for adapter in adapters:
        try:
            yield source(adapter)
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


def _described(path: Path | None, known: list[Provider]) -> tuple[Described, ...]:
    if path is None:
        return ()
    try:
        return load_described(path, {provider.info.id for provider in known} | set(PAID_PROVIDERS))
    except (DescriptionError, OSError) as error:
        raise BadSettings([f"{PREFIX}DESCRIBED_PROVIDERS: {error}"]) from error


async def _note_credits(organization_id: str, provider_id: str, left: float) -> None:
    await note_credits(organization_id, provider_id, left, to_micros(datetime.now(UTC)))


def _open_callbacks(settings: Settings, sealer: SecretBox | None) -> CallbackUrls | None:
    """What makes and opens the addresses for answers that providers send later."""
    if settings.public_url is None:
        return None
    if sealer is None:
        raise BadSettings([f"{PREFIX}PUBLIC_URL: needs {PREFIX}ENCRYPTION_KEY, which signs the addresses below it"])
    return CallbackUrls(settings.public_url, sealer.secret)


def open_sealer(settings: Settings) -> SecretBox | None:
    """What seals organizations' keys: with ENCRYPTION_KEY, or in development with a secret kept in DATA_DIR."""
    if settings.encryption_key is not None:
        return SecretBox(settings.encryption_key.get_secret_value().encode())
    if settings.production:
        return None
    return SecretBox(kept_secret(settings.data_dir / ENCRYPTION_FILE).encode())
