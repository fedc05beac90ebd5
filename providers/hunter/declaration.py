"""How an installation sets up `providers.hunter`."""

from providers.declaration import ProviderDeclaration
from providers.hunter.adapter import Hunter

DECLARATION = ProviderDeclaration(make=lambda context: Hunter(), order=30)
