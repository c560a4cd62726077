"""One Kafka broker, its own controller: formatted, started, health-checked, stopped.

It binds the loopback interface only, and creates no topic by itself.
"""

from __future__ import annotations

import base64
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from infra.errors import UserError
from infra.local import folders, ports, process
from infra.local.kafka import java

START_SECONDS = 90.0
STOP_SECONDS = 30.0
# The quick compiler alone: two seconds of CPU less at each start, and throughput to spare.
JVM = ("-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_HERE = Path(__file__).parent

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
message.max.bytes=8388608
replica.fetch.max.bytes=8388608
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=33554432
"""


class KafkaBroker:
    """An embedded broker whose data lives in `home`. Start it from a lasting thread."""

    def __init__(self, home: Path, port: int, say: Callable[[str], None] = lambda _: None) -> None:
        self.home = home.absolute()
        self.port = port
        self.log = self.home / "kafka.log"
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """Where clients connect, host:port."""
        return f"{ports.LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The running broker's process id."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Format the data once, start, wait until it serves. Raises UserError."""
        began = process.size(self.log)
        self._process = process.spawn(self.command(), self.log)
        deadline = process.Deadline(START_SECONDS)
        while not is_healthy(self.bootstrap):
            if self._process.poll() is not None or deadline.passed:
                self.stop()
                raise UserError(
                    f"Kafka did not start; its log ends:\n{process.tail(self.log, since=began)}",
                    f"the whole log: {self.log}",
                )
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop the broker, cleanly when it lets us. Harmless when it is not running."""
        if self._process is not None:
            process.stop(self._process, STOP_SECONDS)

    def command(self) -> list[str]:
        """Check what a start needs, format the data once; return the command line.

        Raises UserError: no Java, no Maven, port taken, directory not writable.
        """
        program = java.java()
        folders.prepare(self.home)
        if "," in str(self.home):
            raise UserError(
                f"Kafka cannot keep its data in {self.home}: it reads a comma as the end of a path",
                "choose another directory with C360_HOME",
            )
        ports.require_free(self.port, "Kafka", "kafka_port")
        run = [program, *JVM, "-cp", f"{java.jars(self._say)}/*"]
        properties = self.home / "server.properties"
        data = self.home / "data"
        controller = ports.free_port(among=ports.INNER_PORTS)
        properties.write_text(PROPERTIES.format(port=self.port, controller=controller, data=data))
        if not (data / "meta.properties").exists():
            self._say("formatting Kafka's storage")
            _format(run, properties)
        logging = f"-Dlog4j2.configurationFile={(_HERE / 'log4j2.properties').as_uri()}"
        return [*run[:-2], logging, *run[-2:], "kafka.Kafka", str(properties)]


def _format(run: list[str], properties: Path) -> None:
    # A leading dash would read as an option.
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
    done = subprocess.run(  # noqa: S603
        [*run, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UserError(f"Kafka's storage cannot be formatted: {done.stderr.strip()[-500:]}")


def is_healthy(bootstrap: str) -> bool:
    """Whether a broker answers there and takes requests."""
    host, _, port = bootstrap.split(",")[0].rpartition(":")
    if not ports.answers(host, int(port)):
        return False
    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=2_000)
    except KafkaError:
        return False
    try:
        brokers = admin.describe_cluster()["brokers"]
        return any(not broker.get("is_fenced") for broker in brokers)
    except KafkaError:
        return False
    finally:
        admin.close()
