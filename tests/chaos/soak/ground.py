"""What many runs share: one Kafka, one ClickHouse, and imports that are done already."""

import base64
import time
import traceback
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.admin import create_topics
from infra.local import ports
from infra.local.clickhouse import ClickHouseServer
from infra.local.kafka import KafkaBroker
from infra.settings import OFFERS_FILE, Settings
from models.catalogue import parse as parse_catalogue
from tests.chaos.soak.crew import Zygote
from tests.chaos.soak.plan import SESSION, Plan, plan
from tests.chaos.soak.run import Run
from tests.chaos.soak.tables import Tables
from tests.chaos.soak.verdict import Verdict
from tests.chaos.soak.world import DAYS
from tests.support.receiver import Receiver, receiving

GRACE = 2.0  # seconds of a customer's silence until timers of the past fire
SECRET = "whsec_" + base64.b64encode(b"chaos-webhook-secret-of-the-test").decode()


@dataclass
class Outcome:
    """How a seed ended."""

    plan: Plan
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    ended: str = ""

    @property
    def passed(self) -> bool:
        return not self.faults

    def __str__(self) -> str:
        if self.passed:
            told = ", ".join(f"{count} {what}" for what, count in self.told.items())
            return f"seed {self.plan.seed} passed in {self.seconds:.0f} s: {told} ({self.ended})"
        return "\n".join(
            [
                f"FAILED {self.plan}",
                f"  done: {', '.join(self.done)}",
                f"  ended: {self.ended}",
                *(f"  {fault}" for fault in self.faults),
                f"  again: .venv/bin/python -m tests.chaos.soak --seed {self.plan.seed}",
            ]
        )


class Ground:
    """The servers and the zygote, from the first run to the last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = ExitStack()
        self._runs = 0
        self._clickhouse: ClickHouseServer | None = None

    def __enter__(self) -> Self:
        self._kafka = KafkaBroker(self._folder / "kafka", ports.free_port())
        self._kafka.start()
        self._open.callback(self._kafka.stop)
        self._zygote = Zygote()
        self._open.callback(self._zygote.close)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def run(self, seed: int) -> Outcome:
        """Run one seed; what went wrong is in the outcome."""
        outcome = Outcome(plan(seed))
        begun = time.monotonic()
        with ExitStack() as stack, receiving(SECRET) as receiver:
            settings = self._settings(outcome.plan, receiver)
            run = Run(outcome.plan, settings, self._kafka, self._zygote)
            stack.callback(run.close)
            verdict = Verdict(settings)
            try:
                self._go(run, verdict, receiver, stack)
            except Exception:
                verdict.faults.append(traceback.format_exc())
            outcome.faults, outcome.told = verdict.faults, verdict.told
            outcome.done, outcome.ended = run.done, run.ended()
        outcome.seconds = time.monotonic() - begun
        return outcome

    def _go(self, run: Run, verdict: Verdict, receiver: Receiver, stack: ExitStack) -> None:
        tables = None
        if run.plan.tables:
            tables = Tables(run.settings)
            stack.callback(tables.close)
        verdict.told["sent"] = run.chaos()
        if tables is not None:
            tables.kill()
        run.settle(lambda: set(receiver.accepted()) == verdict.alerts() and not verdict.waiting())
        verdict.judge(exact=not run.plan.learning)
        if tables is not None:
            tables.judge(verdict)

    def _settings(self, plan: Plan, receiver: Receiver) -> Settings:
        self._runs += 1
        home = self._folder / f"run-{self._runs}"
        home.mkdir()
        settings = Settings.model_validate(
            {
                "home": home,
                "kafka": self._kafka.bootstrap,
                "topic_prefix": f"run{self._runs}.",
                "clickhouse_database": f"run_{self._runs}",
                "partitions": plan.partitions,
                "session_seconds": SESSION,
                "state": plan.state,
                "standbys": plan.standbys,
                "horizon_days": 7 if plan.learning else DAYS + 15,
                "contract_horizon_days": 7 if plan.learning else DAYS + 15,
                "offers_file": OFFERS_FILE if plan.learning else patient(home / "offers.toml"),
                "backfill_grace_seconds": GRACE,
                "snapshot_secret": "chaos-snapshots",
                "webhook_url": receiver.url,
                "webhook_secret": SECRET,
                "webhook_allow_private": True,
                "webhook_max_age_hours": 100_000,
                **(self._warehouse() if plan.tables else {}),
            }
        )
        create_topics(settings)
        return settings

    def _warehouse(self) -> dict[str, object]:
        if self._clickhouse is None:
            self._clickhouse = ClickHouseServer(
                self._folder / "clickhouse",
                ports.free_port(),
                ports.free_port(),
                user="c360",
                password="chaos-clickhouse",
                analyst_password="chaos-analyst",
            )
            self._clickhouse.start()
            self._open.callback(self._clickhouse.stop)
        return {
            "clickhouse": self._clickhouse.url,
            "clickhouse_port": self._clickhouse.http_port,
            "clickhouse_native_port": self._clickhouse.native_port,
            "clickhouse_password": "chaos-clickhouse",
        }


def patient(file: Path) -> Path:
    """Write a catalogue whose decisions are never over, so that nothing is learnt from them."""
    text = OFFERS_FILE.read_text(encoding="utf-8")
    for name in ("valid_days", "attribution_days"):
        assert f"{name} = 14" in text
        text = text.replace(f"{name} = 14", f"{name} = 4000")
    file.write_text(text, encoding="utf-8")
    parse_catalogue(text)  # here, not in each worker, is the place to hear that it cannot be used
    return file
