"""The configuration files of the embedded ClickHouse, written anew at each start.

Its control session always logs in as `default` without a password, so `default` may
only open the listeners; everybody else has a password, kept as a hash.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

KEPT_LOGS = ("query_log", "part_log", "error_log")

_CONFIG = """\
<clickhouse>
  <log-level>warning</log-level>
  <logger>
    <level>warning</level>
    <log>{home}/clickhouse-server.log</log>
    <errorlog>{home}/clickhouse-server.err.log</errorlog>
    <size>20M</size>
    <count>2</count>
  </logger>
  <http_port>{http}</http_port>
  <tcp_port>{native}</tcp_port>
  <listen_host>{host}</listen_host>
  <users_config>users.xml</users_config>
  <backups><allowed_path>{home}/backups/</allowed_path></backups>
  <max_server_memory_usage_to_ram_ratio>0.5</max_server_memory_usage_to_ram_ratio>
  <mark_cache_size>268435456</mark_cache_size>
{logs}
</clickhouse>
"""

# The system's own tables would grow for ever.
_LOG = """\
  <{name}>
    <database>system</database>
    <table>{name}</table>
    <partition_by>toYYYYMM(event_date)</partition_by>
    <ttl>event_date + INTERVAL 3 DAY</ttl>
    <flush_interval_milliseconds>3000</flush_interval_milliseconds>
  </{name}>"""

_USERS = """\
<clickhouse>
  <profiles>
    <default/>
    <analyst>
      <readonly>2</readonly>
      <max_execution_time>60</max_execution_time>
      <max_memory_usage>2000000000</max_memory_usage>
      <max_result_rows>1000000</max_result_rows>
      <max_threads>2</max_threads>
      <allow_ddl>0</allow_ddl>
      <allow_introspection_functions>0</allow_introspection_functions>
      <constraints>
        <max_execution_time><min>1</min><max>60</max></max_execution_time>
        <max_memory_usage><min>1</min><max>2000000000</max></max_memory_usage>
        <max_threads><min>1</min><max>2</max></max_threads>
        <allow_ddl><readonly/></allow_ddl>
        <allow_introspection_functions><readonly/></allow_introspection_functions>
      </constraints>
    </analyst>
  </profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password/>
      {networks}
      <profile>default</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SYSTEM LISTEN ON *.*</query>
        <query>GRANT SELECT ON system.numbers</query>
      </grants>
    </default>
    <{admin}>
      <password_sha256_hex>{admin_hash}</password_sha256_hex>
      {networks}
      <profile>default</profile>
      <quota>default</quota>
      <access_management>1</access_management>
      <named_collection_control>1</named_collection_control>
    </{admin}>
    <analyst>
      <password_sha256_hex>{analyst_hash}</password_sha256_hex>
      {networks}
      <profile>analyst</profile>
      <quota>default</quota>
      <grants>
{grants}
      </grants>
    </analyst>
  </users>
</clickhouse>
"""
_NETWORKS = "<networks><ip>::1</ip><ip>127.0.0.1</ip></networks>"


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What a server is to be: where, whose, and what analysts may read.

    `readable` are patterns as GRANT takes them: "database.view", or "database.prefix*".
    """

    home: Path
    http_port: int
    native_port: int
    user: str
    password: str
    analyst_password: str
    readable: tuple[str, ...] = ()
    host: str = "127.0.0.1"

    def write(self) -> Path:
        """Write config.xml and users.xml under `home`/etc; return that folder."""
        etc = self.home / "etc"
        etc.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, text in (("config.xml", self.config()), ("users.xml", self.users())):
            file = etc / name
            file.touch(mode=0o600)
            file.write_text(text)
        return etc

    def config(self) -> str:
        """Return config.xml."""
        return _CONFIG.format(
            home=escape(str(self.home)),
            http=self.http_port,
            native=self.native_port,
            host=self.host,
            logs="\n".join(_LOG.format(name=name) for name in KEPT_LOGS),
        )

    def users(self) -> str:
        """Return users.xml."""
        grants = [f"GRANT SELECT ON {pattern}" for pattern in self.readable]
        return _USERS.format(
            networks=_NETWORKS,
            admin=self.user,
            admin_hash=_hash(self.password),
            analyst_hash=_hash(self.analyst_password),
            grants="\n".join(f"        <query>{escape(grant)}</query>" for grant in grants),
        )


def _hash(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
