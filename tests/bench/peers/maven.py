"""A Java program of the benchmark, built by Maven once and kept between runs."""

import shutil
import subprocess
from pathlib import Path

from infra.errors import UserError
from infra.local.kafka.java import java
from tests.bench.harness import Bench
from tests.bench.peers.kept import kept

PEERS = Path(__file__).parent


def program(bench: Bench, name: str) -> tuple[str, str]:
    """Return Java, and the class path of a project built when it is missing. Needs a JDK."""
    source = PEERS / name
    files = sorted(path for path in source.rglob("*") if path.is_file())
    content = b"".join(path.read_bytes() for path in files)
    doing = f"building {name} with Maven"
    home = kept(bench, name, content, doing, lambda home: _build(source, home))
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
