from pydantic import Field

from .base_model import BaseModel
from .fragments import ConfigParts


class UpdateConfig(BaseModel):
    update_config: "UpdateConfigUpdateConfig" = Field(alias="updateConfig")


UpdateConfigUpdateConfig = ConfigParts
UpdateConfig.model_rebuild()
