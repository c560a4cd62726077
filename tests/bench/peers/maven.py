"""A Java program of the benchmark, built by Maven once and kept between runs."""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from infra.errors import UserError
from infra.local.kafka.java import java
from tests.bench.harness import Bench

PEERS = Path(__file__).parent


def program(bench: Bench, name: str) -> tuple[str, str]:
    """Return Java, and the class path of a project built when it is missing. Needs a JDK."""
    source = PEERS / name
    files = sorted(path for path in source.rglob("*") if path.is_file())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    home = bench.cache / f"{name}-{digest}"
    with (bench.cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / ".ready").exists():
            bench.say(f"building {name} with Maven")
            _build(source, home)
            (home / ".ready").touch()
    return java(), f"{home}/target/*:{home}/target/jars/*"


def _build(source: Path, home: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None or shutil.which("javac") is None:
        raise UserError(
            "Maven and a Java compiler are needed",
            "apt-get install -y openjdk-17-jdk-headless maven",
        )
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(source, home)
    done = subprocess.run(
        [maven, "-q", "-B", "package"], cwd=home, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise UserError(f"Maven could not build it: {done.stdout[-1_000:]}")
