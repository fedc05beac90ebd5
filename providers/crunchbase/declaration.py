"""How an installation sets up `providers.crunchbase`."""

from providers.crunchbase.adapter import Crunchbase
from providers.declaration import ProviderDeclaration

DECLARATION = ProviderDeclaration(make=lambda context: Crunchbase(), order=50)
