"""`c360 verify [PARTS…]`: that everything follows from the log, seen beside live traffic."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import msgspec
import typer
from clickhouse_connect.driver.exceptions import ClickHouseError
from kafka.errors import KafkaError
from rich.table import Table

from infra.admin import unreachable
from infra.cli.bars import bars
from infra.cli.context import settings_and_secrets
from infra.cli.terminal import Terminal
from infra.errors import UserError
from infra.settings import Settings
from infra.verify.report import Check, Side
from infra.verify.run import PARTS, verify
from projections.client import is_behind

SHOWN = 20  # differences in the terminal; --json gives the first of every partition


def command(
    parts: Annotated[
        list[str] | None, typer.Argument(help=f"which: {', '.join(PARTS)}; else all")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="how many at once; else as many as there are cores")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Compare log, live profiles, identities and ClickHouse; exit code 1 when they differ.

    Everything goes on meanwhile: what changed while it was read is counted as in flux.
    Nothing is written.
    """
    unknown = set(parts or ()) - set(PARTS)
    if unknown:
        raise UserError(f"no such part: {', '.join(sorted(unknown))}", f"choose of {list(PARTS)}")
    chosen = settings_and_secrets()
    begun = time.monotonic()
    with said_plainly(chosen), bars() as say:
        found = verify(chosen, parts or list(PARTS), processes, say)
    seconds = time.monotonic() - begun
    if as_json:
        typer.echo(msgspec.json.encode(told(found, seconds)))
    else:
        show(found, seconds)
    if not all(check.ok for check in found):
        raise typer.Exit(1)


@contextmanager
def said_plainly(chosen: Settings) -> Iterator[None]:
    """Turn what Kafka and ClickHouse raise into what a person can act on."""
    try:
        yield
    except KafkaError as error:
        raise unreachable(chosen, error) from error
    except ClickHouseError as error:
        what = str(error).split("Stack trace", 1)[0][:500]
        behind = "`c360 migrate` brings the tables up to date"
        way = behind if is_behind(error) else "`c360 doctor` tells more"
        raise UserError(f"ClickHouse: {what}", way) from error


def told(found: Sequence[Check], seconds: float) -> dict[str, object]:
    """Return what was found, JSON-ready."""
    return {
        "equal": all(check.ok for check in found),
        "seconds": round(seconds, 1),
        "checks": [
            msgspec.to_builtins(check)
            | {
                "expected": {"count": check.expected.count, "hash": f"{check.expected.hash:016x}"},
                "found": {"count": check.found.count, "hash": f"{check.found.hash:016x}"},
            }
            for check in found
        ],
    }


def show(found: Sequence[Check], seconds: float) -> None:
    """Print a line for each thing compared, its partitions together, then what differs."""
    shown = Table(box=None, header_style="bold", pad_edge=False)
    shown.add_column("", no_wrap=True)
    for name in ("by the log", "there", "in flux", "different", "hash"):
        shown.add_column(name, justify="right")
    for name in dict.fromkeys(_thing(check) for check in found):
        some = [check for check in found if _thing(check) == name]
        different = sum(check.different for check in some)
        sides = [sum(one.hash for one in of) & (1 << 64) - 1 for of in _sides(some)]
        shown.add_row(
            name,
            *(f"{sum(one.count for one in of):,}" for of in _sides(some)),
            f"{sum(check.in_flux for check in some):,}",
            f"[red]{different:,}[/]" if different else "0",
            " / ".join(dict.fromkeys(f"{one:016x}"[:8] for one in sides)),  # --json has them whole
        )
    console = Terminal()
    console.print(shown)
    for check in found:
        for note in check.notes[:3]:
            console.print(f"[dim]{check.where}: {note}[/]", highlight=False)
    differences = [one for check in found for one in check.differences]
    for one in differences[:SHOWN]:
        said = f"{one.where}  {one.what}: {'; '.join(one.how)}"
        console.print(said, markup=False, highlight=False, soft_wrap=True)
    more = sum(check.different for check in found) - len(differences[:SHOWN])
    if more > 0:
        console.print(f"… and {more:,} more")
    verdict = "equal: everything is what the log gives" if not differences else "not equal"
    console.print(f"{verdict} ({seconds:.0f} s)", style="bold red" if differences else "bold green")


def _thing(check: Check) -> str:
    return check.where.partition("/")[0]


def _sides(checks: Sequence[Check]) -> tuple[list[Side], list[Side]]:
    return [check.expected for check in checks], [check.found for check in checks]
