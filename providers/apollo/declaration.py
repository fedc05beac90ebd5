"""How an installation sets up `providers.apollo`."""

from providers.apollo.adapter import Apollo
from providers.declaration import AdapterContext, ProviderDeclaration, ProviderSetting

PHONES = ProviderSetting("phones", bool, "ask Apollo for phone numbers of people, which cost more; default: no")


def make(context: AdapterContext) -> Apollo:
    """The adapter. Phone numbers need a setting that says so; installations of before ask where they are reached."""
    chosen = context.settings.get(PHONES.name)
    return Apollo(phones=context.receives_callbacks and context.paid_callbacks if chosen is None else bool(chosen))


DECLARATION = ProviderDeclaration(make=make, order=10, settings=(PHONES,), extra_price="phones")
