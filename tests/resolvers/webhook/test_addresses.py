"""Webhooks reach the public internet, and what a setting names; nothing else, however its address is written."""

import pytest

from resolvers.webhook.addresses import AllowedNetworks, fault_of_url

NONE = AllowedNetworks()
OFFICE = AllowedNetworks.read(["10.1.0.0/16", "fd12::/16"])

PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "::ffff:93.184.216.34", "2a00:1450:4001:81b::200e"]
REFUSED = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104 -- refused, not listened on
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.254",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "::ffff:0:7f00:1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd12::1",
    "ff02::1",
    "ff0e::1",
    "not an address",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_reached_over_tls_alone(address: str) -> None:
    assert NONE.may_reach(address, tls=True)
    assert not NONE.may_reach(address, tls=False)


@pytest.mark.parametrize("address", REFUSED)
def test_no_other_address_may_be_reached(address: str) -> None:
    assert not NONE.may_reach(address, tls=True)
    assert not NONE.may_reach(address, tls=False)


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "fd12::1"])
def test_networks_that_are_named_may_be_reached_over_http_too(address: str) -> None:
    assert OFFICE.may_reach(address, tls=True) and OFFICE.may_reach(address, tls=False)
    assert not OFFICE.may_reach("10.2.0.1", tls=True)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://hooks.example.com/in?key=1", None),
        ("https://hooks.example.com:8443/", None),
        ("https://93.184.216.34/", None),
        ("http://hooks.example.com/", "must be https"),
        ("ftp://hooks.example.com/", "must be an address"),
        ("file:///etc/passwd", "must be an address"),
        ("https://", "must be an address"),
        ("https://user:secret@hooks.example.com/", "must hold no user"),
        ("https://hooks.example.com@10.0.0.1/", "must hold no user"),
        ("https://hooks.example.com/#part", "must hold no user"),
        ("https://hooks.example.com:22/", "must have a port"),
        ("https://hooks.example.com:99999/", "is no web address"),
        ("https://[::1/", "is no web address"),
        ("https://hooks.example.com/\r\nHost: x", "must be at most"),
        ("https://hooks.exa\\mple.com/", "must be at most"),
        ("https://hööks.example.com/", "must be at most"),
        ("https://127.0.0.1/", "is in a network"),
        ("https://[::ffff:169.254.169.254]/", "is in a network"),
        (f"https://hooks.example.com/{'a' * 2048}", "must be at most"),
    ],
)
def test_what_cannot_be_the_address_of_an_endpoint_is_told_in_words(url: str, fault: str | None) -> None:
    found = fault_of_url(url, NONE)
    assert found == fault or (fault is not None and found is not None and found.startswith(fault))


def test_plain_http_is_for_networks_that_are_named() -> None:
    assert fault_of_url("http://10.1.0.9:8080/in", OFFICE) is None
    assert fault_of_url("http://93.184.216.34/in", OFFICE) == "is in a network that may not be reached"
    assert fault_of_url("http://hooks.office.example/in", OFFICE) is None  # it is looked at when it is connected to
