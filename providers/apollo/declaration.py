"""How an installation sets up `providers.apollo`."""

from providers.apollo.adapter import Apollo
from providers.declaration import AdapterContext, ProviderDeclaration, ProviderSetting

PHONES = ProviderSetting(
    "phones", bool, "ask Apollo for phone numbers of people, which cost more; default: where PUBLIC_URL is set"
)


def make(context: AdapterContext) -> Apollo:
    """The adapter; phone numbers need an installation that Apollo can send them to, or a setting that says so."""
    chosen = context.settings.get(PHONES.name)
    return Apollo(phones=context.receives_callbacks if chosen is None else bool(chosen))


DECLARATION = ProviderDeclaration(make=make, order=10, settings=(PHONES,), extra_price="phones")
