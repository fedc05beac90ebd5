"""The keys that organizations bring, and those of the installation."""

import pytest
from arq.connections import ArqRedis

from models.provider_key import sealed_key
from providers.api import ProviderError
from resolvers.context import Role
from resolvers.errors import Forbidden, NotFound, Unavailable, ValidationFailed
from resolvers.provider.api import list_providers
from resolvers.provider.keys import StoredKeys, remove_provider_key, set_provider_key
from resolvers.secret_box import SecretBox
from tests.support.factories import StandIn, context, send, services, work

pytestmark = pytest.mark.usefixtures("db")

KEY = "sk-live-0123456789abcdef"


def refusing(times: int) -> list[ProviderError]:
    return [ProviderError("bad_key", "no", retryable=False) for _ in range(times)]


async def test_a_key_is_stored_sealed_and_shown_by_its_last_four_characters(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(id="paid", needs_key=True), StandIn(id="free"))
    shared.secret_box = SecretBox(b"m" * 32)
    ctx = context(shared)
    assert not (await list_providers(ctx))[0].configured
    view = await set_provider_key(ctx, "paid", f" {KEY} ")
    assert (view.last_four, KEY in repr(view)) == ("cdef", False)
    shown = (await list_providers(ctx))[0]
    assert (shown.configured, shown.key_last_four) == (True, "cdef")
    keys = StoredKeys(shared.secret_box, {"paid": "shared-key"})
    assert await keys.key_of("acme", "paid") == KEY
    assert await keys.key_of("other", "paid") == "shared-key"
    stored = await sealed_key("acme", "paid")
    assert stored is not None and KEY not in stored
    assert await remove_provider_key(ctx, "paid")
    assert await keys.key_of("acme", "paid") == "shared-key"


async def test_only_admins_set_keys_and_only_where_one_is_needed_and_can_be_stored(redis: ArqRedis) -> None:
    shared = services(redis, StandIn(id="paid", needs_key=True), StandIn(id="free"))
    ctx = context(shared)
    with pytest.raises(Unavailable):
        await set_provider_key(ctx, "paid", KEY)
    shared.secret_box = SecretBox(b"m" * 32)
    with pytest.raises(Forbidden):
        await set_provider_key(context(shared, role=Role.MANAGER), "paid", KEY)
    with pytest.raises(NotFound):
        await set_provider_key(ctx, "nobody", KEY)
    for provider, key in (("free", KEY), ("paid", "short"), ("paid", "bad\nkey-with-newline")):
        with pytest.raises(ValidationFailed):
            await set_provider_key(ctx, provider, key)


async def test_a_changed_key_of_the_installation_is_tried_where_the_organization_has_none(redis: ArqRedis) -> None:
    paid = StandIn(id="paid", price=1, remote=True, needs_key=True, fails=refusing(3))
    shared = services(redis, paid)
    shared.secret_box = SecretBox(b"m" * 32)
    for org in ("acme", "globex", "initech"):
        if org == "globex":
            await set_provider_key(context(shared, org=org), "paid", KEY)
        await send(context(shared, org=org), "account", "A", domain=f"{org}.com")
        await work(shared)

    async def states() -> list[str]:
        views = [(await list_providers(context(shared, org=org)))[0] for org in ("acme", "globex", "initech")]
        return [view.state.value for view in views]

    await StoredKeys(shared.secret_box, {"paid": "key-1"}).retry_changed_keys(redis, shared.now())
    assert await states() == ["closed", "open", "closed"]
    await remove_provider_key(context(shared, org="globex"), "paid")
    assert await states() == ["closed", "closed", "closed"]
    paid.fails = refusing(1)
    await send(context(shared), "account", "B", domain="acme2.com")
    await work(shared)
    await StoredKeys(shared.secret_box, {"paid": "key-1"}).retry_changed_keys(redis, shared.now())
    assert await states() == ["open", "closed", "closed"]
    await StoredKeys(shared.secret_box, {"paid": "key-2"}).retry_changed_keys(redis, shared.now())
    assert await states() == ["closed", "closed", "closed"]
