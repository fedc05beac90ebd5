"""How an installation sets up `providers.peopledatalabs`."""

from providers.declaration import ProviderDeclaration
from providers.peopledatalabs.adapter import PeopleDataLabs

DECLARATION = ProviderDeclaration(make=lambda context: PeopleDataLabs(), order=20)
