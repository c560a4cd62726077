"""Every setting, in one frozen object, read from the environment once.

A variable `C360_NAME` sets `name`; an unknown one is an error. Secrets come from
here alone: what is left empty is made up once and kept in `C360_HOME`, readable
by its owner only (`infra.secrets`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from models.identity_rules import Rules, RulesError
from models.identity_rules import parse as parse_rules
from models.topics import Topic

PREFIX = "C360_"
OFFERS_FILE = Path(__file__).parent / "catalogue" / "offers.toml"
DEMO_OFFERS_FILE = OFFERS_FILE.with_name("offers-demo.toml")
IDENTITY_FILE = Path(__file__).parent / "catalogue" / "identity.toml"


class SettingsError(ValueError):
    """A setting is unknown or has a value that cannot be used."""


class Settings(BaseModel):
    """Settings, with defaults that run everything on this machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = Field(Path(".c360"), description="data, logs and secrets of the embedded parts")
    host: str = Field("127.0.0.1", description="address that the HTTP servers bind")

    kafka: str = Field("", description="brokers, host:port[,…]; empty: the embedded broker")
    kafka_port: int = Field(8392, ge=1, le=65535, description="port of the embedded broker")
    topic_prefix: str = Field(
        "c360.", pattern=r"^[A-Za-z0-9._-]*$", description="before the name of each topic and group"
    )
    partitions: int = Field(8, ge=1, le=1024, description="of each topic keyed by customer")
    replication: int = Field(1, ge=1, le=7, description="copies of each topic; 3 in production")

    clickhouse: str = Field(
        "",
        pattern=r"^(https?://[^\s/@]+([/?]\S*)?)?$",  # messages tell it: no password in it
        description="http(s)://host:port, no user name in it; empty: the embedded server",
    )
    clickhouse_port: int = Field(8323, ge=1, le=65535, description="embedded server, HTTP")
    clickhouse_native_port: int = Field(8390, ge=1, le=65535, description="embedded, native")
    clickhouse_database: str = Field(
        "c360", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="where the tables are"
    )
    clickhouse_user: str = Field(
        "c360", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="who writes the tables"
    )
    clickhouse_password: SecretStr = Field(SecretStr(""), description="of that user")
    analyst_password: SecretStr = Field(
        SecretStr(""), description="of the user `analyst`, who may read the views"
    )

    ingest_port: int = Field(8361, ge=1, le=65535, description="where events are sent")
    serve_port: int = Field(8360, ge=1, le=65535, description="profile API and console")
    serve_nice: int = Field(
        -10,
        ge=-20,
        le=0,
        description="of the profile API: how far it goes before others for a core; 0: as they do",
    )
    write_keys: SecretStr = Field(SecretStr(""), description="keys that may send, name=key,…")
    api_keys: SecretStr = Field(SecretStr(""), description="keys that may read, name=key,…")
    admin_keys: SecretStr = Field(
        SecretStr(""), description="keys that may merge and unmerge customers; empty: nobody may"
    )
    max_event_bytes: int = Field(256 * 1024, ge=1024, description="largest event taken")
    max_batch_bytes: int = Field(
        4 * 1024 * 1024, ge=1024, description="largest request taken, unpacked"
    )
    max_batch_events: int = Field(2_500, ge=1, description="most events in one request")
    ingest_rate: int = Field(50_000, ge=1, description="events a second and write key")

    webhook_url: str = Field("", description="where risk alerts go; empty: nowhere")
    webhook_secret: SecretStr = Field(
        SecretStr(""), description="Standard Webhooks secret, whsec_…"
    )
    webhook_allow_private: bool = Field(False, description="allow loopback and private addresses")
    webhook_max_age_hours: float = Field(24.0, gt=0, description="older alerts are not delivered")
    webhook_retry_seconds: float = Field(5.0, gt=0, description="before the second try; then x3")
    webhook_timeout_seconds: float = Field(10.0, gt=0, le=60, description="for one attempt")
    webhook_at_once: int = Field(
        4, ge=1, le=1_000, description="attempts under way, shared by all workers; each has one"
    )

    snapshot_secret: SecretStr = Field(SecretStr(""), description="signs the model snapshots")
    horizon_days: int = Field(30, ge=1, le=365, description="churn: no contact for this long")
    contract_horizon_days: int = Field(
        30, ge=1, le=365, description="churn of who has a contract: none is left within this time"
    )
    fit_hours: float = Field(
        24.0, ge=0.1, description="between two fits of the population's parameters"
    )
    backfill_grace_seconds: float = Field(
        600.0, ge=0, description="silence after which a backfilled customer's old timers fire"
    )
    offers_file: Path = Field(OFFERS_FILE, description="the offer catalogue, TOML")
    identity_file: Path = Field(IDENTITY_FILE, description="who is one customer: the rules, TOML")

    workers: int = Field(1, ge=1, le=64, description="how many workers `c360 up` starts")
    instance: str = Field(
        "w0",
        pattern=r"^[A-Za-z0-9_-]+$",
        description="name of this worker, and of its folder under worker/",
    )
    worker_port: int = Field(
        6066, ge=1, le=65535, description="the worker's own web port; a second one's is the next"
    )
    state: Literal["memory", "disk"] = Field(
        "memory", description="where workers hold state: disk, when it does not fit in memory"
    )
    standbys: int = Field(
        1, ge=0, le=7, description="workers that keep a copy of what another has, to take over"
    )
    session_seconds: float = Field(
        20.0, ge=1, le=300, description="until a silent worker's partitions go to the others"
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the `C360_*` variables. Raises SettingsError naming each bad one."""
        given = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environ.items()
            if name.startswith(PREFIX)
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            lines = [
                f"{PREFIX}{str(fault['loc'][0]).upper()}: {_say(fault['type'], fault['msg'])}"
                for fault in error.errors(include_input=False)  # an input may be a secret
            ]
            raise SettingsError("\n".join(lines)) from None

    def environ(self) -> dict[str, str]:
        """Return the `C360_*` variables that read back as these settings, secrets revealed."""
        return {
            PREFIX + name.upper(): _plain(getattr(self, name)) for name in type(self).model_fields
        }

    @property
    def brokers(self) -> str:
        """Where Kafka is, as host:port[,…]."""
        return self.kafka or f"127.0.0.1:{self.kafka_port}"

    @property
    def clickhouse_url(self) -> str:
        """Where ClickHouse answers HTTP."""
        return self.clickhouse or f"http://127.0.0.1:{self.clickhouse_port}"

    def offers_text(self) -> str:
        """Return what the offer catalogue says, TOML. Raises SettingsError."""
        return _read("OFFERS_FILE", self.offers_file)

    def identity_rules(self) -> Rules:
        """Return the rules of who is one customer. Raises SettingsError naming each fault."""
        try:
            return parse_rules(_read("IDENTITY_FILE", self.identity_file))
        except RulesError as error:
            raise SettingsError(f"{PREFIX}IDENTITY_FILE: {self.identity_file}: {error}") from error

    def topic(self, topic: Topic) -> str:
        """Return a topic's full name in this deployment."""
        return self.topic_prefix + topic.name


def _read(name: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SettingsError(f"{PREFIX}{name}: cannot read {file}: {why}") from error


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _say(kind: str, message: str) -> str:
    return "no such setting; `c360 doctor` lists them" if kind == "extra_forbidden" else message
