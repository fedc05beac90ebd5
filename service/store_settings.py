"""Settings of the stores: the database, and Redis with how it is reached."""

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from service.redis_pool import SENTINEL_SCHEMES, TLS_SCHEMES, RedisAccess, sentinels_of

_REDIS = {"redis", "rediss", "unix", *SENTINEL_SCHEMES}


class StoreSettings(BaseSettings):
    """Where the stores are. Without addresses they are embedded ones in DATA_DIR."""

    data_dir: Path = Field(Path(".data"), description="directory of the embedded database and Redis")
    database_url: SecretStr | None = Field(
        None, description="postgresql://… or sqlite:///…; default: SQLite in DATA_DIR"
    )
    database_pool: int = Field(10, ge=1, le=200, description="most connections of one process to PostgreSQL")
    database_pooler: bool = Field(
        False, description="whether DATABASE_URL is that of a pooler in transaction mode, such as PgBouncer"
    )
    redis_url: SecretStr | None = Field(
        None,
        description="redis://…, rediss://… (TLS), unix://…, or redis+sentinel://user:password@host:port,host:port/0"
        "?service=mymaster; default: an embedded Redis in DATA_DIR",
    )
    redis_ca_file: Path | None = Field(
        None, description="PEM file of the authorities of Redis' certificate; default: the system's"
    )
    redis_cert_file: Path | None = Field(None, description="PEM file of a certificate that is shown to Redis")
    redis_key_file: Path | None = Field(None, description="PEM file of that certificate's key")
    redis_sentinel_password: SecretStr | None = Field(None, description="password of the sentinels themselves")
    redis_server: Path | None = Field(
        None, description="redis-server program for the embedded Redis; default: the first one found"
    )

    @field_validator("database_url")
    @classmethod
    def _database_scheme(cls, value: SecretStr | None) -> SecretStr | None:
        return _check_scheme(value, {"sqlite", "postgres", "postgresql", "asyncpg"}, "postgresql://… or sqlite:///…")

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, value: SecretStr | None) -> SecretStr | None:
        _check_scheme(value, _REDIS, "redis://…, rediss://…, unix://… or redis+sentinel://…")
        if value is not None and urlsplit(value.get_secret_value()).scheme in SENTINEL_SCHEMES:
            sentinels_of(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _certificates_are_used(self) -> Self:
        url = self.redis_url.get_secret_value() if self.redis_url else ""
        if (self.redis_cert_file is None) != (self.redis_key_file is None):
            raise ValueError("REDIS_CERT_FILE and REDIS_KEY_FILE belong together: set both")
        if (self.redis_ca_file or self.redis_cert_file) and urlsplit(url).scheme not in TLS_SCHEMES:
            raise ValueError("REDIS_CA_FILE and REDIS_CERT_FILE are of use with rediss:// alone")
        for path in (self.redis_ca_file, self.redis_cert_file, self.redis_key_file):
            if path is not None and not path.is_file():
                raise ValueError(f"{path}: no such file")
        return self

    def redis_access(self) -> RedisAccess:
        """How Redis is reached, besides its address."""
        password = self.redis_sentinel_password
        return RedisAccess(
            self.redis_ca_file,
            self.redis_cert_file,
            self.redis_key_file,
            None if password is None else password.get_secret_value(),
        )


def _check_scheme(value: SecretStr | None, schemes: set[str], wanted: str) -> SecretStr | None:
    if value is not None and urlsplit(value.get_secret_value()).scheme not in schemes:
        raise ValueError(f"should be {wanted}")
    return value
