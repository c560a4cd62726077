"""`python -m tests.bench [name …]`: measure the figures (all, or those named), print, keep.

Figures are reported as they are; they hold for the machine, date and commit beside them.
"""

import argparse
import asyncio
import importlib
import signal
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from tests.bench import report
from tests.bench.harness import Bench
from tests.bench.machine import about, load

FIGURES = Path(__file__).parent / "figures"
LIMIT = 480  # s for one measurement: a figure that hangs must not hold up the others


def main() -> int:
    """Measure, print, and write the results. Returns 1 when a figure failed."""
    known = {path.stem: path for path in sorted(FIGURES.glob("[a-z]*.py"))}
    asked = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    asked.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(known)}")
    asked.add_argument("--events", type=int, default=40_000)
    asked.add_argument("--runs", type=int, default=3)
    asked.add_argument("--quick", action="store_true", help="few events, one pass, nothing kept")
    asked.add_argument("--out", type=Path, help="folder of the results")
    given = asked.parse_args()
    unknown = set(given.names) - set(known)
    if unknown:
        asked.error(f"no such figure: {', '.join(sorted(unknown))}")
    out = given.out or (None if given.quick else report.RESULTS)
    figures = [importlib.import_module(f"tests.bench.figures.{n}") for n in given.names or known]
    if not given.names:
        figures = [figure for figure in figures if not getattr(figure, "ASKED", False)]
    with Bench(events=given.events, runs=given.runs, quick=given.quick, results=out) as bench:
        found = measured(bench, figures, out)
    print("\n" + report.table(found))
    failed = [name for name, figure in found.items() if "failed" in figure]
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nnothing failed")
    return 1 if failed else 0


def measured(bench: Bench, figures: list[ModuleType], out: Path | None) -> dict:
    """Measure; each result is kept as soon as it is there. Returns those of this run."""
    found: dict = {}

    def keep(figure: ModuleType, result: dict) -> None:
        found.update(report.merged(found, figure.NAME, result))
        found[report.RATIOS] = report.ratios(found)
        if out is not None:
            results = report.merged(report.read(out), figure.NAME, result)
            report.write(results | {report.RATIOS: report.ratios(results)}, out)

    repeated = [figure for figure in figures if getattr(figure, "REPEAT", False)]
    for figure, passes in interleaved(bench, repeated):
        keep(figure, passes)
    for figure in figures:
        if figure not in repeated:
            where = about()
            keep(figure, completed(bench, figure, where, [attempt(bench, figure)]))
    return found


def interleaved(bench: Bench, figures: list[ModuleType]) -> list[tuple[ModuleType, dict]]:
    """Measure figures in turn, several passes of each, so that all meet the same weather."""
    wheres = {figure: about() for figure in figures}
    passes: dict[ModuleType, list[dict]] = {figure: [] for figure in figures}
    for _ in range(bench.runs):
        for figure in figures:
            if not any("failed" in one for one in passes[figure]):
                passes[figure].append(attempt(bench, figure))
    return [
        (figure, completed(bench, figure, wheres[figure], passes[figure])) for figure in figures
    ]


def attempt(bench: Bench, figure: ModuleType) -> dict:
    """Measure once; an error becomes a result that says so."""
    print(f"{figure.NAME}", flush=True)
    limit = getattr(figure, "LIMIT", LIMIT)
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(limit)
    try:
        return figure.measure(bench)
    except (Exception, asyncio.CancelledError) as error:
        traceback.print_exc()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return {"failed": {"why": f"{type(error).__name__}: {error}", "date": now}}
    finally:
        signal.alarm(0)


def _too_long(*_: object) -> None:
    raise TimeoutError("not done in time")


def completed(bench: Bench, figure: ModuleType, where: dict, passes: list[dict]) -> dict:
    """Return a figure's result: what was measured, its goals, and how it came about."""
    failed = next((one for one in passes if "failed" in one), None)
    if failed is not None:
        return failed
    print(f"{figure.NAME}: " + ", ".join(_headline(one) for one in passes), flush=True)
    return {
        "about": where | {"load_after": load(), "passes": len(passes), "events": bench.events},
        "goals": figure.GOALS,
        "measured": report.medians(passes),
        "passes": passes,
    }


def _headline(measured: dict) -> str:
    return next(
        (f"{v:,.1f} {k}" for k, v in measured.items() if isinstance(v, int | float)), "done"
    )


if __name__ == "__main__":
    sys.exit(main())
