"""How an installation sets up `providers.zoominfo`."""

from providers.declaration import ProviderDeclaration
from providers.zoominfo.adapter import ZoomInfo

DECLARATION = ProviderDeclaration(make=lambda context: ZoomInfo(), order=40)
