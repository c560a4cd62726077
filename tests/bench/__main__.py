"""`make bench`: three ways to run the same core on the same events, and their ratios.

Figures are reported as they are; they hold for the machine and date in the results.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from infra.local import ports
from infra.local.kafka import KafkaBroker
from infra.settings import OFFERS_FILE, Settings
from models.catalogue import parse
from models.judge import Judge
from models.topics import PROFILES
from tests.bench import core, pipeline, workload

RESULTS = Path(__file__).parent / "results"
PARTITIONS = 4
PACKAGES = ("faust-streaming", "aiokafka", "river", "pydantic", "msgspec", "uvloop")


def main() -> None:
    """Measure, print, and write the results."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--events", type=int, default=8_000)
    asked.add_argument("--runs", type=int, default=3)
    asked.add_argument("--out", type=Path, default=RESULTS / "latest.json")
    given = asked.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    here, there = cores[0], cores[-1]  # the broker and this process; what is measured
    print(f"making {given.events:,} touchpoints")
    messages = workload.touchpoints(given.events)
    where = about(given.events, given.runs)  # as it is before we load the machine
    results: dict[str, list[dict]] = {"core": [], "worker": [], "stock": []}
    with tempfile.TemporaryDirectory(prefix="c360-bench-") as home:
        broker = KafkaBroker(Path(home) / "kafka", ports.free_port())
        print("starting Kafka")
        os.sched_setaffinity(0, {here})  # before: its threads inherit it
        broker.start()
        try:
            for number in range(1, given.runs + 1):
                measure(results, messages, Path(home), broker, number, here, there)
        finally:
            broker.stop()
    summary = {name: median(runs) for name, runs in results.items()}
    report = {
        "about": where,
        "summary": summary | {"ratios": ratios(summary)},
        "runs": results,
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    show(report)
    print(f"\nwritten to {given.out}")


def measure(results, messages, home: Path, broker: KafkaBroker, number, here, there) -> None:
    """Do each of the three once, one after the other, so that all meet the same weather."""
    os.sched_setaffinity(0, {there})
    judge = Judge.untrained(parse(OFFERS_FILE.read_text(encoding="utf-8")))
    results["core"].append(core.run(messages, judge))
    print(f"run {number}: core   {results['core'][-1]['events_per_second']:>10,.0f} events/s")
    os.sched_setaffinity(0, {here})
    for name, module in (
        ("worker", ["streams", "worker"]),
        ("stock", ["tests.bench.stock"]),
    ):
        settings = make_settings(home / f"{name}-{number}", broker, f"{name}{number}.")
        profiles = (
            settings.topic(PROFILES)
            if name == "worker"
            else f"{settings.topic_prefix}worker-customers-changelog"
        )
        figures = pipeline.run(settings, module, messages, profiles, there)
        results[name].append(figures)
        print(f"run {number}: {name:6} {figures['events_per_second']:>10,.0f} events/s")


def make_settings(home: Path, broker: KafkaBroker, prefix: str) -> Settings:
    """Return settings of one run: topics and directory of its own."""
    home.mkdir()
    return Settings.model_validate(
        {
            "home": home,
            "kafka": broker.bootstrap,
            "topic_prefix": prefix,
            "partitions": PARTITIONS,
            "worker_port": ports.free_port(),
            "snapshot_secret": "bench",
            "instance": "bench",
        }
    )


def median(runs: list[dict]) -> dict:
    """Return the median of each figure that is a number."""
    names = [name for name, value in runs[0].items() if isinstance(value, int | float)]
    return {name: round(statistics.median(run[name] for run in runs), 2) for name in names}


def ratios(summary: dict) -> dict:
    """Compare the worker with both others: above 1 it is the faster one."""
    rate = {name: figures["events_per_second"] for name, figures in summary.items()}
    cpu = {name: figures["cpu_us_per_event"] for name, figures in summary.items()}
    return {
        "worker_over_core": round(rate["worker"] / rate["core"], 3),
        "worker_over_stock": round(rate["worker"] / rate["stock"], 2),
        "worker_over_core_by_cpu": round(cpu["core"] / cpu["worker"], 3),
        "worker_over_stock_by_cpu": round(cpu["stock"] / cpu["worker"], 2),
    }


def about(events: int, runs: int) -> dict:
    """Say where, when and with what this was measured."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": said("git", "rev-parse", "HEAD"),
        "uncommitted_changes": bool(
            said("git", "status", "--porcelain", "--", "models", "streams")
        ),
        "machine": {
            "cpu": processor(),
            "cores": os.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
            "system": platform.platform(),
            "load_average": [round(load, 2) for load in os.getloadavg()],
        },
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in PACKAGES},
        "events": events,
        "runs": runs,
        "partitions": PARTITIONS,
        "processes": 1,
    }


def said(*command: str) -> str:
    """Return what a command prints, nothing when it cannot be run."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def processor() -> str:
    """Return the processor's name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), "")


def show(report: dict) -> None:
    """Print the summary as a table."""
    summary = report["summary"]
    print(f"\n{'':24}{'events/s':>12}{'CPU µs/event':>15}")
    for name, title in (
        ("core", "(a) core, no Kafka"),
        ("worker", "(b) the worker"),
        ("stock", "(c) stock Faust"),
    ):
        figures = summary[name]
        rate, cpu = figures["events_per_second"], figures["cpu_us_per_event"]
        print(f"{title:24}{rate:>12,.0f}{cpu:>15,.1f}")
    for name, value in summary["ratios"].items():
        print(f"{name.replace('_', ' '):34}{value:>8}")
    print("\n(a) by step, CPU µs a touchpoint (first run):")
    for step, spent in report["runs"]["core"][0]["steps_cpu_us_per_event"].items():
        print(f"  {step:24}{spent:>8.1f}")
    for step, spent in report["runs"]["core"][0]["of_which_us_per_call"].items():
        print(f"    one call of {step:14}{spent:>6.1f}")


if __name__ == "__main__":
    main()
