"""How limits are set."""

import pytest
from pydantic import ValidationError

from service.limits.policy import MOST_REQUESTS, LimitSettings, Subject, read_most


def test_what_is_not_named_keeps_its_limit() -> None:
    most = read_most("token=600, organization = none", MOST_REQUESTS)
    assert most == {
        Subject.TOKEN: 600,
        Subject.ADDRESS: MOST_REQUESTS[Subject.ADDRESS],
        Subject.OPEN: MOST_REQUESTS[Subject.OPEN],
    }
    assert read_most("none", MOST_REQUESTS) == {}


@pytest.mark.parametrize("text", ["user=5", "token", "token=0", "token=-1", "token=1.5", "", "token=" + "9" * 13])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="should be"):
        read_most(text, MOST_REQUESTS)


@pytest.mark.parametrize(("text", "proxies"), [("10.0.0.0/8, ::1", ("10.0.0.0/8", "::1")), ("none", ())])
def test_a_proxy_is_an_address_or_a_network(text: str, proxies: tuple[str, ...]) -> None:
    assert LimitSettings.model_validate({"trusted_proxies": text}).trusted_proxies == proxies


def test_a_name_is_no_proxy() -> None:
    with pytest.raises(ValidationError):
        LimitSettings.model_validate({"trusted_proxies": "proxy.example"})
