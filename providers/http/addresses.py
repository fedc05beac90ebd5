"""Which web addresses may be used: https, and plain http only for a server on this machine."""

import ipaddress
from urllib.parse import urlsplit


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
