"""Run seed after seed: `python -m tests.chaos.soak`, or one again: `--seed 17`."""

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean

from tests.bench.machine import about
from tests.chaos.soak.ground import Ground
from tests.chaos.soak.result import Result


def main() -> int:
    """Return 1 when a seed failed, having said how to repeat it."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--runs", type=int, default=50, help="how many seeds")
    parser.add_argument("--from", dest="first", type=int, default=1, help="the first seed")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--minutes", type=float, help="begin no seed after so long")
    parser.add_argument("--json", type=Path, help="a file that keeps what they came to")
    chosen = parser.parse_args()
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # brokers go away here, and come back
    seeds = [chosen.seed] if chosen.seed else range(chosen.first, chosen.first + chosen.runs)
    end = time.monotonic() + 60 * (chosen.minutes or 1e6)
    result = Result(about(), chosen.json)
    with tempfile.TemporaryDirectory(prefix="c360-soak-") as folder, Ground(Path(folder)) as ground:
        for seed in seeds:
            if time.monotonic() > end:
                break
            outcome = ground.run(seed)
            print(outcome, flush=True)
            result.add(seed, outcome.passed, outcome.seconds)
    passed, failed = result.passed, result.failed
    print(f"{len(passed)} passed: {passed}; {len(failed)} failed: {failed}", flush=True)
    if seconds := result.seconds:
        print(f"{mean(seconds):.0f} s a seed, {max(seconds):.0f} s at most", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
