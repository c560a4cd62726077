"""Java and the broker's jars: found, or a sentence that says what to install.

The jars come through Maven, once for this version and this user, and are shared by
every data directory (and by the tests).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from infra.errors import UserError

OLDEST_JAVA = 17
POM = Path(__file__).parent / "pom.xml"
APT_LINE = "apt-get install -y openjdk-17-jre-headless maven"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def java() -> str:
    """Return the path of a Java that is new enough. Raises UserError."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else None
    found = found or shutil.which("java")
    if found is None:
        raise UserError("Kafka needs Java, which is not installed", f"on Debian: {APT_LINE}")
    version = java_version(found)
    if version < OLDEST_JAVA:
        raise UserError(
            f"Kafka needs Java {OLDEST_JAVA} or newer; {found} is Java {version}",
            f"on Debian: {APT_LINE}; or set JAVA_HOME to a newer one",
        )
    return found


def java_version(program: str) -> int:
    """Return the major version that a `java` tells of itself. Raises UserError."""
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    match = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    if match is None:
        raise UserError(
            f"{program} does not tell its version: {said.stderr.strip()[:200]}",
            f"on Debian: {APT_LINE}",
        )
    return int(match[1])


def cache() -> Path:
    """Return the folder that holds (or will hold) the jars of this pom's versions."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    return root / "customer360" / f"kafka-{digest}"


def jars(say: Callable[[str], None] = lambda _: None) -> Path:
    """Return the folder of the broker's jars, fetched by Maven when missing.

    `say` is told what takes long. Raises UserError.
    """
    folder = cache()
    if folder.is_dir():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise UserError(
            "Kafka's jars are fetched with Maven, which is not installed", f"on Debian: {APT_LINE}"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another start may be fetching them
            if not folder.is_dir():
                say("fetching Kafka's jars with Maven (43 MB, once)")
                _fetch(maven, folder)
    except OSError as error:
        raise UserError(
            f"cannot keep Kafka's jars in {folder.parent}: {error.strerror}",
            "set XDG_CACHE_HOME to a directory that can be written",
        ) from error
    return folder


def _fetch(maven: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetch-") as work:
        done = subprocess.run(  # noqa: S603
            [
                *(maven, "-q", "-B", "-f", str(POM), _COPY),
                *(f"-DoutputDirectory={work}/libs", "-DincludeScope=runtime"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
            raise UserError(
                f"Maven could not fetch Kafka's jars:\n{tail}",
                "check the network and Maven's settings (~/.m2/settings.xml), then try again",
            )
        # Renamed whole: a fetch that was killed leaves nothing that looks complete.
        Path(work, "libs").rename(folder)
