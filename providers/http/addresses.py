"""Which web addresses may be used: https, and plain http only for a server on this machine."""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from providers.http.adapter import Adapter


def check_base(address: str, *, development: bool = False) -> str:
    """The base address without a slash at its end. Raises ValueError, in words for an operator, for an unfit one.

    Plain http is for a server on this machine, and only in development.
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is no web address") from None
    if parts.scheme not in {"https", "http"} or not host:
        raise ValueError("should be an address like https://api.example.com")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("should hold no user, query or fragment")
    if parts.scheme == "http" and not (development and _is_loopback(host)):
        raise ValueError("should be https; http is only for this machine, while developing")
    return address.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_bases(adapter: Adapter, given: Mapping[str, str], *, development: bool) -> dict[str, str]:
    """The adapter's addresses, with these in place of its own. Raises ValueError, whose text says what is wrong."""
    bases = {**adapter.bases}
    for name, address in given.items():
        if name not in bases:
            raise ValueError(f"{adapter.info.id} has no address called {name}")
        bases[name] = address
    checked: dict[str, str] = {}
    for name, address in bases.items():
        try:
            checked[name] = check_base(address, development=development)
        except ValueError as error:
            raise ValueError(f"the address of {adapter.info.id} {error}") from None
    return checked
