"""Which addresses webhooks may be sent to: those of the public internet, and of networks that a setting names."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

LONGEST_URL = 2048
_LOWEST_PORT = 1024  # beside those of the web: the others belong to services that are no web servers
_WEB_PORTS = frozenset({80, 443})
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # of version 6; what lies elsewhere may be translated or routed
# What some version of Python takes for public, and what leads on to an IPv4 address that is not looked at.
_REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        "100.64.0.0/10",  # shared by customers of a carrier (RFC 6598)
        "192.0.0.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "198.18.0.0/15",  # for measurements
        "240.0.0.0/4",
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped: its IPv4 address is looked at instead
        "64:ff9b::/96",  # NAT64 (RFC 6052)
        "64:ff9b:1::/48",  # NAT64 of a network of its own (RFC 8215)
        "100::/64",
        "2001::/23",  # Teredo among others
        "2002::/16",  # 6to4
        "3fff::/20",  # for documentation (RFC 9637)
    )
)


@dataclass(frozen=True, slots=True)
class AllowedNetworks:
    """The networks of an installation's own that webhooks may be sent to, over plain http too."""

    networks: tuple[IPNetwork, ...] = ()

    @classmethod
    def read(cls, texts: Iterable[str]) -> "AllowedNetworks":
        """Networks in CIDR notation, or single addresses. Raises ValueError for what is neither."""
        return cls(tuple(ipaddress.ip_network(text) for text in texts))

    def holds(self, address: IPAddress) -> bool:
        """Whether the address, or the IPv4 address that it maps, is in one of these networks."""
        plain = _plain(address)
        return any(plain in network for network in self.networks)

    def may_reach(self, text: str, *, tls: bool) -> bool:
        """Whether a connection to this address, as a resolver gives it, may be opened.

        Without TLS only what is in these networks may be reached.
        """
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            return False
        return self.holds(address) or (tls and _is_public(_plain(address)))


def _plain(address: IPAddress) -> IPAddress:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_public(address: IPAddress) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and (address.version == 4 or address in _GLOBAL_UNICAST)
        and not any(address in network for network in _REFUSED if network.version == address.version)
    )


def fault_of_url(url: str, allowed: AllowedNetworks) -> str | None:
    """Why an endpoint cannot have this address, in words; None where nothing is wrong with it.

    Names are looked at once they are resolved, at each connection.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is no web address"
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return f"must be at most {LONGEST_URL} printable ASCII characters without blanks"
    if parts.scheme not in {"https", "http"} or not host:
        return "must be an address like https://hooks.example.com/enrichment"
    if "@" in parts.netloc or parts.fragment:
        return "must hold no user and no fragment"
    if port is not None and port not in _WEB_PORTS and port < _LOWEST_PORT:
        return f"must have a port of the web, 80 or 443, or one from {_LOWEST_PORT} on"
    tls = parts.scheme == "https"
    if not tls and not allowed.networks:
        return "must be https"
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return None if allowed.may_reach(host, tls=tls) else "is in a network that may not be reached"
