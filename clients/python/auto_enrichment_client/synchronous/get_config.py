from .base_model import BaseModel
from .fragments import ConfigParts


class GetConfig(BaseModel):
    config: "GetConfigConfig"


GetConfigConfig = ConfigParts
GetConfig.model_rebuild()
