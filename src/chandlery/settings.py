"""Settings: read once at an edge, frozen, passed down.

Every field can be set by the environment or a `.env` file: prefix `CHANDLERY_`, groups joined by two
underscores (`CHANDLERY_DATABASE__HOST`). One switch chooses the shape of the installation:

| `CHANDLERY_PROFILE`    | database                     | bars come from                    |
|------------------------|------------------------------|-----------------------------------|
| `embedded` (default)   | PostgreSQL from a wheel      | the stand-in, or the vendor if an API key is set |
| `server`               | `CHANDLERY_DATABASE__*`      | the same; `docker-compose.yml` demands a key |
| `cluster`              | `CHANDLERY_DATABASE__*`      | the same                          |
"""

import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from chandlery.errors import ConfigError

VENDOR_BASE_URL = "https://api.massive.com"
PROJECT_DIR = Path(__file__).resolve().parents[2]

Role = Literal["owner", "pipeline", "reader", "auth"]


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseSettings(_Group):
    """The warehouse. With profile `embedded` host, port and password are found by themselves."""

    host: str = Field("127.0.0.1", description="Host of PostgreSQL (profiles server and cluster).")
    port: int = Field(5432, ge=1, le=65535, description="Port of PostgreSQL.")
    name: str = Field("chandlery", description="Database name.")
    user: str = Field("chandlery", description="Owner role: runs migrations; needs CREATEROLE.")
    password: SecretStr = Field(SecretStr(""), description="Password of the owner role.")
    pipeline_password: SecretStr = Field(
        SecretStr(""), description="Password of role chandlery_pipeline; empty: derived from the owner's."
    )
    reader_password: SecretStr = Field(
        SecretStr(""), description="Password of role chandlery_reader; empty: derived from the owner's."
    )
    auth_password: SecretStr = Field(
        SecretStr(""), description="Password of role chandlery_auth; empty: derived from the owner's."
    )

    @property
    def has_password(self) -> bool:
        """Whether any role can log in."""
        given = (self.password, self.pipeline_password, self.reader_password, self.auth_password)
        return any(password.get_secret_value() for password in given)

    def login(self, role: Role) -> tuple[str, str]:
        """Return (user, password) of a role.

        A role without a password of its own gets HMAC-SHA-256(owner password, role), so one secret suffices
        on one machine, while a server may hand the API nothing but the reader's.

        Raises:
            ConfigError: neither the role's own password nor the owner's was given.
        """
        if role == "owner":
            return self.user, self.password.get_secret_value()
        own: SecretStr = getattr(self, f"{role}_password")
        if not own.get_secret_value() and not self.password.get_secret_value():
            raise ConfigError(
                f"No password of role chandlery_{role} was given. Set CHANDLERY_DATABASE__{role.upper()}_PASSWORD, or "
                "CHANDLERY_DATABASE__PASSWORD to derive it."
            )
        derived = hmac.new(self.password.get_secret_value().encode(), role.encode(), hashlib.sha256).hexdigest()
        return f"chandlery_{role}", own.get_secret_value() or derived


class MassiveSettings(_Group):
    """The vendor Massive (formerly Polygon)."""

    api_key: SecretStr | None = Field(None, description="API key; POLYGON_API_KEY is accepted as well.")
    base_url: str = Field(VENDOR_BASE_URL, description="Scheme and host of the REST API.")
    calls_per_minute: int = Field(
        5,
        ge=1,
        le=5_940,
        description="Pace over all processes, pages and retries included (free plan: 5); above 60 kept by the second.",
    )
    retries: int = Field(4, ge=0, le=20, description="Further tries after a retryable failure.")
    timeout_s: float = Field(30.0, gt=0, description="Seconds until a silent connection counts as failed.")
    backoff: Literal["exponential", "linear", "fixed"] = Field(
        "exponential", description="How the longest wait grows from try to try; the wait is drawn from 0 to it."
    )
    backoff_base_s: float = Field(1.0, gt=0, le=60, description="Longest wait before the second try (60 s at most).")
    breaker_failures: int = Field(5, ge=1, description="Failures in a row after which nothing is sent for a while.")
    breaker_open_s: float = Field(60.0, gt=0, description="Seconds nothing is sent before one probe may try again.")
    flat_files: str | None = Field(
        None, description="Folder, or base URL of a plain HTTP mirror, of the vendor's flat files; empty: none."
    )


class ProviderSettings(_Group):
    """The stand-in that serves a tape over the vendor's REST paths on loopback."""

    tape: Path | None = Field(None, description="Tape folder; empty: the bundled tape, built at first use.")
    port: int = Field(8765, ge=1, le=65535, description="Loopback port of `chandlery provider` and `up`.")


class ApiSettings(_Group):
    """The read API."""

    host: str = Field("127.0.0.1", description="Address the API listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port the API listens on.")
    statement_timeout_ms: int = Field(5000, ge=100, description="Longest query of the reader role.")
    pool_size: int = Field(8, ge=1, description="Connections a worker may hold.")


class DagsterSettings(_Group):
    """The Dagster webserver."""

    host: str = Field("127.0.0.1", description="Address the Dagster webserver listens on (it has no login).")
    port: int = Field(3000, ge=1, le=65535, description="Port of the Dagster webserver.")
    schedules_running: bool = Field(default=False, description="Start the schedules; false spares the vendor quota.")


class PipelineSettings(_Group):
    """What the pipeline covers."""

    symbols: tuple[str, ...] = Field((), description="Symbols to track; empty: what is tracked, or all of a tape.")


class QualitySettings(_Group):
    """Judging bars."""

    thresholds: dict[str, float] = Field(
        {},
        description="Thresholds of rules that are not at their default, by name (docs/reference/rules.md), as "
        "CHANDLERY_QUALITY__THRESHOLDS__SPIKE_SIGMAS=10 or as one JSON object.",
    )


class OptimizeSettings(_Group):
    """Studies."""

    trials: int = Field(200, ge=1, description="Most candidates one study evaluates.")
    seed: int = Field(7, ge=0, description="Seed of the search.")
    symbols: tuple[str, ...] = Field(("AAPL",), min_length=1, description="Symbols the nightly studies run on.")
    priority: int = Field(5, ge=0, le=9, description="Priority of a requested study, 9 first.")
    workers: int = Field(3, ge=1, le=64, description="Studies that run at once (Dagster pool optimization).")
    exports: Path | None = Field(None, description="Folder of the exports of studies; empty: `exports` below home.")
    exports_kept_hours: float = Field(24.0, gt=0, description="Hours until an export of a study is removed.")
    fee_bps: float = Field(5.0, ge=0, lt=10_000, description="Fee of each fill, basis points of its value.")
    slippage_bps: float = Field(2.0, ge=0, lt=10_000, description="Slippage of each fill, basis points of the price.")


class RiskSettings(_Group):
    """Risk reports."""

    portfolio: Path | None = Field(None, description="Portfolio YAML; empty: equal weights over all stocks.")
    window: int = Field(500, ge=60, description="Sessions of history behind VaR and ES.")


class Settings(BaseSettings):
    """All settings of one process."""

    model_config = SettingsConfigDict(
        env_prefix="CHANDLERY_", env_nested_delimiter="__", env_file=".env", extra="ignore", frozen=True
    )

    profile: Literal["embedded", "server", "cluster"] = Field("embedded", description="Shape of the installation.")
    home: Path = Field(Path(".chandlery"), description="Folder of the embedded database, tapes and Dagster home.")
    source: Literal["auto", "replay", "massive"] = Field(
        "auto", description="Bars from the stand-in or the vendor; auto: the vendor if there is an API key."
    )
    log_style: Literal["console", "json"] = Field("console", description="Form of log lines on standard error.")
    polygon_api_key: SecretStr | None = Field(
        None, validation_alias="POLYGON_API_KEY", description="The vendor's key under its older name."
    )
    database: DatabaseSettings = DatabaseSettings()
    massive: MassiveSettings = MassiveSettings()
    provider: ProviderSettings = ProviderSettings()
    api: ApiSettings = ApiSettings()
    dagster: DagsterSettings = DagsterSettings()
    pipeline: PipelineSettings = PipelineSettings()
    quality: QualitySettings = QualitySettings()
    optimize: OptimizeSettings = OptimizeSettings()
    risk: RiskSettings = RiskSettings()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = []
        if self.profile != "embedded" and not self.database.has_password:
            faults.append(
                f"profile {self.profile} needs CHANDLERY_DATABASE__PASSWORD, or the passwords of the roles it uses"
            )
        if self.source == "massive" and self.vendor_key is None:
            faults.append("source massive needs POLYGON_API_KEY or CHANDLERY_MASSIVE__API_KEY")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def vendor_key(self) -> SecretStr | None:
        """The vendor's API key, under either name; an empty one counts as none."""
        for key in (self.massive.api_key, self.polygon_api_key):
            if key is not None and key.get_secret_value():
                return key
        return None

    @property
    def resolved_source(self) -> Literal["replay", "massive"]:
        """Where bars come from after `auto` is decided."""
        if self.source != "auto":
            return self.source
        return "massive" if self.vendor_key is not None else "replay"

    @property
    def exports_dir(self) -> Path:
        """Folder of the exports of studies, absolute."""
        return (self.optimize.exports or self.home_dir / "exports").expanduser().absolute()

    @property
    def home_dir(self) -> Path:
        """`home` as an absolute path."""
        return self.home.expanduser().absolute()


def load_settings() -> Settings:
    """Read the environment and `.env` once.

    Raises:
        ConfigError: one message that lists every fault by its variable; values are not repeated.
    """
    try:
        return Settings()
    except SettingsError as error:
        field = re.search(r'field "(\w+)"', str(error))
        variable = _variable((field[1],)) if field else "a variable"
        raise ConfigError(
            f"Settings were read from the environment and .env; {variable} (or a field of it) is no JSON. Lists are "
            'written as CHANDLERY_PIPELINE__SYMBOLS=["AAPL","MSFT"].'
        ) from None
    except ValidationError as error:
        faults = "\n".join(f"  {_variable(item['loc'])}: {item['msg']}" for item in error.errors())
        raise ConfigError(f"Settings were read from the environment and .env; these are wrong:\n{faults}") from None


def _variable(loc: tuple[int | str, ...]) -> str:
    if not loc:
        return "CHANDLERY_*"
    if loc[0] == "POLYGON_API_KEY":
        return str(loc[0])
    return "CHANDLERY_" + "__".join(str(part).upper() for part in loc)


def process_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a child process: ours and `extra`."""
    return {**os.environ, **extra}


def export_environment(values: Mapping[str, str]) -> None:
    """Set variables for libraries that read nothing but the environment (dbt, Dagster)."""
    os.environ.update(values)
