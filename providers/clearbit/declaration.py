"""How an installation sets up `providers.clearbit`."""

from providers.clearbit.adapter import Clearbit
from providers.declaration import ProviderDeclaration

# Clearbit takes no new customers: an organization that has an account there switches it on by itself.
DECLARATION = ProviderDeclaration(make=lambda context: Clearbit(), order=60, on_with_shared_key=False)
