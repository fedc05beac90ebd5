"""Providers of third parties: packages that name a factory under the entry point group `auto_enrichment.providers`.

A factory takes a PluginContext and returns a Provider, which asks by its own means, or an Adapter, which is given
connections, limits and the account's key. One that is broken is reported and left out; the others and the service
go on.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeGuard

import structlog

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from providers.api import Provider, ProviderInfo
from providers.http.adapter import Adapter

GROUP = "auto_enrichment.providers"

_ID = re.compile(r"[a-z][a-z0-9_]{1,39}")
_PREFIX = "AUTO_ENRICHMENT_"
_SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSWORD")
_ADAPTER_CALLS = ("input_key", "look_up", "poll", "check_key")
_PROVIDER_CALLS = ("input_key", "ask")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PluginContext:
    """What a factory receives: the name of its entry point, and its settings.

    A setting `AUTO_ENRICHMENT_ACME_REGION` of the plug-in `acme` is `settings["region"]`. Keys are none of them:
    an adapter finds the organization's with each look-up, as `http.key`. `api_key` is the installation's, for a
    provider that asks by its own means; None where none is set.
    """

    name: str
    settings: Mapping[str, str]
    development: bool = False  # plain http to this machine is allowed
    api_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PluginFault:
    """A plug-in that was left out: its entry point, the package it is of, and why."""

    name: str
    package: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plugins:
    """The installed plug-ins: providers, adapters that still need connections, and what was left out."""

    providers: tuple[Provider, ...] = ()
    adapters: tuple[Adapter, ...] = ()
    faults: tuple[PluginFault, ...] = ()


class _Unfit(Exception):
    """The reason why what a factory returned cannot be used."""


def load_plugins(
    environment: Mapping[str, str],
    *,
    taken_ids: Collection[str] = (),
    development: bool = False,
    found: Iterable[EntryPoint] | None = None,
) -> Plugins:
    """The providers and adapters of the installed plug-ins, in the order of their names. Never raises.

    `environment` holds their settings; `taken_ids` are the ids that other providers have; `found` stands in for the
    entry points of the installed packages.
    """
    ids = set(taken_ids)
    providers: list[Provider] = []
    adapters: list[Adapter] = []
    faults: list[PluginFault] = []
    for point in sorted(entry_points(group=GROUP) if found is None else found, key=lambda point: point.name):
        try:
            made = _made(point, _context(point.name, environment, development))
            plugin_id = _checked_id(made, ids)
            (adapters if _is_adapter(made) else providers).append(made)
            ids.add(plugin_id)
        except _Unfit as unfit:
            faults.append(_fault(point, str(unfit)))
    return Plugins(tuple(providers), tuple(adapters), tuple(faults))


def _made(point: EntryPoint, context: PluginContext) -> Any:
    try:
        factory = point.load()
        if not callable(factory):
            raise _Unfit("the entry point names nothing that can be called")
        return factory(context)
    except _Unfit:
        raise
    except (Exception, SystemExit) as error:
        # A factory may raise anything, or leave the process. The text may hold its settings, so it goes only to the
        # operator's log.
        _log.exception("plug-in failed", plugin=point.name)
        raise _Unfit(f"it raised {type(error).__name__}") from error


def _checked_id(made: Any, taken_ids: Collection[str]) -> str:
    try:
        info = made.info
        if _is_adapter(made):
            _check_adapter(made)
        elif not _has(made, _PROVIDER_CALLS):
            raise _Unfit("it is neither a provider nor an adapter")
        _check_info(info, taken_ids)
    except _Unfit:
        raise
    except Exception as error:
        raise _Unfit(f"what it says of itself cannot be read ({type(error).__name__})") from error
    return str(info.id)


def _is_adapter(made: Any) -> TypeGuard[Adapter]:
    return _has(made, _ADAPTER_CALLS)


def _has(made: Any, calls: Iterable[str]) -> bool:
    return all(callable(getattr(made, call, None)) for call in calls)


def _check_adapter(made: Any) -> None:
    bases = made.bases
    if not isinstance(bases, Mapping) or not all(isinstance(base, str) and base for base in bases.values()):
        raise _Unfit("its bases are no addresses by name")
    if "" not in bases:
        raise _Unfit('its bases have no main one, which is called ""')
    if not isinstance(made.calls_per_minute, int) or made.calls_per_minute < 1:
        raise _Unfit("its calls_per_minute should be a whole number from 1")


def _check_info(info: Any, taken_ids: Collection[str]) -> None:
    if type(info) is not ProviderInfo:
        raise _Unfit("its info is no ProviderInfo")
    _check_texts(info.id, info.name, info.needs)
    if not _ID.fullmatch(info.id):
        raise _Unfit("its id should be 2 to 40 small letters, digits and _, and begin with a letter")
    if info.id in taken_ids:
        raise _Unfit(f"{info.id} is the id of another provider")
    _check_price(info.price)
    if not info.gives:
        raise _Unfit("it gives nothing")
    for entity_type, fields in info.gives.items():
        unknown = sorted(set(fields) - fields_of(EntityType(entity_type)).keys())
        if unknown:
            raise _Unfit(f"it gives {unknown[0]}, which is no field of {entity_type}")


def _check_texts(*texts: Any) -> None:
    if not all(isinstance(text, str) and text for text in texts):
        raise _Unfit("its id, name and needs should be texts")


def _check_price(price: Any) -> None:
    if not isinstance(price, int) or isinstance(price, bool) or price < 0:
        raise _Unfit("its price should be a whole number of credits from 0")


def plugin_names() -> list[str]:
    """The names of the installed plug-ins' entry points, in order; nothing is loaded."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def is_secret(setting: str) -> bool:
    """Whether a setting of this name holds what nobody may see."""
    return _SECRET.search(setting.upper()) is not None


def _context(name: str, environment: Mapping[str, str], development: bool) -> PluginContext:
    own = dict(_settings(name, environment))
    public = {setting: value for setting, value in own.items() if not is_secret(setting)}
    return PluginContext(name, public, development, own.get("api_key") or None)


def _settings(name: str, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    own = _PREFIX + re.sub(r"\W", "_", name).upper() + "_"
    for variable, value in environment.items():
        setting = variable.upper()
        if setting.startswith(own) and len(setting) > len(own):
            yield setting[len(own) :].lower(), value


def _fault(point: EntryPoint, reason: str) -> PluginFault:
    package = point.dist.name if point.dist else "an unknown package"
    _log.error("plug-in left out", plugin=point.name, package=package, reason=reason)
    return PluginFault(point.name, package, reason)
