"""`python -m tests.evaluation [name …]`: evaluate the learners on every data set, print, keep.

Each set's result is kept as soon as it is there; `--missing` goes on where a run was stopped.
Figures are reported as they are; they hold for the machine, date and commit beside them.
"""

import argparse
import importlib
import signal
import sys
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.machine import about, load
from tests.evaluation import report

SETS = Path(__file__).parent / "sets"
ORDER = (
    "cdnow", "contracts", "mlc_churn", "streams", "alive", "choices", "simulator", "open_bandit",
    "unseen", "sentiment", "cost",
)  # fmt: skip
LIMIT = 900  # s for one set, whatever else the machine does


def main() -> int:
    """Evaluate, print, write. Returns 1 when a set failed; a goal that is not met is no failure."""
    asked = argparse.ArgumentParser(prog="python -m tests.evaluation", description=__doc__)
    asked.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(ORDER)}")
    asked.add_argument("--missing", action="store_true", help="only those without a result yet")
    asked.add_argument("--out", type=Path, default=report.RESULTS, help="folder of the results")
    given = asked.parse_args()
    unknown = set(given.names) - set(ORDER)
    if unknown:
        asked.error(f"no such set: {', '.join(sorted(unknown))}")
    results = report.read(given.out)
    names = given.names or ORDER
    if given.missing:
        names = [one for one in names if "failed" in results.get(one, {"failed": True})]
    for name in names:
        results[name] = attempt(name)
        results = {one: results[one] for one in ORDER if one in results}
        report.write(results, given.out)
    print("\n" + report.goals_table(results))
    failed = [name for name in names if "failed" in results[name]]
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nnothing failed")
    return 1 if failed else 0


def attempt(name: str) -> dict:
    """Evaluate one set; an error becomes a result that says so."""
    print(name, flush=True)
    where, begun, cpu = about(), time.monotonic(), time.process_time()
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(LIMIT)
    try:
        measured = importlib.import_module(f"tests.evaluation.sets.{name}").measure()
    except Exception as error:
        traceback.print_exc()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return {"failed": {"why": f"{type(error).__name__}: {error}", "date": now}}
    finally:
        signal.alarm(0)
    took = {
        "seconds": round(time.monotonic() - begun, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "load_after": load(),
    }
    print(f"  {took['seconds']} s", flush=True)
    return {"about": where | took, "goals": measured.pop("goals"), "measured": measured}


def _too_long(*_: object) -> None:
    raise TimeoutError(f"not done within {LIMIT} s")


if __name__ == "__main__":
    sys.exit(main())
