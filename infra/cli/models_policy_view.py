"""How `c360 models evaluate` shows it: each policy's worth, how sure it is, and the lift."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.offpolicy import Estimate, PolicyValue
from models.uplift import Lift
from projections.offer_worth import Judged

# Besides doubly robust, its interval, and what it is more than what was logged.
_OTHERS = {"clipped": "dr_clipped", "snips": "snips", "ips": "ips"}


def show(console: Console, judged: Judged, never: Mapping[str, list[str]]) -> None:
    """Print the whole answer."""
    console.print(_about(judged))
    if judged.logged is None:
        console.print(Text("No decision has an outcome yet: its window must have ended.", "yellow"))
        return
    console.print(_worths(judged))
    for one in judged.policies:
        for line in _notes(one, never.get(one.policy, [])):
            console.print(line)
    console.print()
    console.print(Text("What making offers caused, against the control customers", "bold"))
    console.print(_lifts(judged.lift))
    for campaign, lift in judged.lift.items():
        if lift.refused:
            console.print(Text(f"{campaign or 'all offers'}: refused: {lift.refused}", "yellow"))
    console.print(
        Text(
            "A decision's worth: margin after the offer's cost, in the catalogue's money. dr is the"
            " one to read; where it and the others part, trust none. gain: over what was logged."
            " sample: decisions of its own that would tell as much. clipped: no decision stands"
            f" for more than {judged.policies[0].clip if judged.policies else 1:.0f}. Intervals:"
            " 95 %, customers drawn anew. adjusted: less what the groups differed by before"
            " (CUPED).",
            "dim",
        )
    )


def _about(judged: Judged) -> Text:
    text = Text()
    text.append(f"{judged.judged:,}", "bold")
    text.append(f" decisions about {judged.customers:,} customers are judged by")
    if judged.first is not None and judged.last is not None:
        text.append(f", of {judged.made:,} made {judged.first:%Y-%m-%d} to {judged.last:%Y-%m-%d}")
    left_out = {
        "of control customers": judged.control,
        "without an outcome yet": judged.made - judged.ended,
        "without chances by arm": judged.unusable,
    }
    said = [f"{count:,} {why}" for why, count in left_out.items() if count]
    text.append(f"\nleft out: {', '.join(said)}" if said else "", "dim")
    return text


def _worths(judged: Judged) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, collapse_padding=True)
    longest = max(map(len, ("as logged", *(one.policy for one in judged.policies))))
    table.add_column("policy", overflow="fold", min_width=min(longest, 24))
    for name in ("dr", "95 %", "gain", *_OTHERS, "sample"):
        # In a narrow terminal intervals may take two lines, numbers may not.
        spans = name in ("95 %", "gain")
        table.add_column(name, justify="right", no_wrap=not spans)
    without = [""] * (1 + len(_OTHERS))
    table.add_row("as logged", *_estimate(judged.logged), *without, f"{judged.judged:,}")
    for one in judged.policies:
        effective = f"{one.effective:,.0f}"
        if one.refused:
            table.add_row(one.policy, "–", "", *without, effective, style="dim")
            continue
        table.add_row(
            one.policy,
            *_estimate(one.estimates["dr"]),
            _gain(one.gain),
            *(f"{one.estimates[name].value:.3f}" for name in _OTHERS.values()),
            effective,
        )
    return table


def _estimate(one: Estimate | None) -> tuple[str, str]:
    if one is None or one.low is None or one.high is None:
        return ("–", "")
    return f"{one.value:.3f}", f"{one.low:.3f} to {one.high:.3f}"


def _gain(one: Estimate | None) -> Text:
    if one is None or one.low is None or one.high is None:
        return Text("")
    sure = "green" if one.low > 0 else "red" if one.high < 0 else "dim"
    return Text(f"{one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})", sure)


def _notes(one: PolicyValue, never: list[str]) -> list[Text]:
    notes = []
    if one.refused:
        notes.append(Text(f"{one.policy}: refused: {one.refused}", "yellow"))
    if never:
        notes.append(
            Text(
                f"{one.policy}: never made so far, so nobody can tell what it would earn:"
                f" {', '.join(never)}. Judged without it.",
                "yellow",
            )
        )
    for arm, share in one.missing.items():
        notes.append(
            Text(f"{one.policy}: {share:.1%} of it is {arm} where the log could not", "yellow")
        )
    return notes


def _lifts(lifts: Mapping[str, Lift]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("campaign")
    for name in ("offered", "control", "lift a customer", "95 %", "adjusted", "95 %"):
        table.add_column(name, justify="right")
    for campaign, one in lifts.items():
        counts = (campaign or "all offers", f"{one.offered:,}", f"{one.control:,}")
        if one.lift is None:
            table.add_row(*counts, "–", "", "–", "", style="dim")
        else:
            table.add_row(
                *counts,
                f"{one.lift:+.3f}",
                f"{one.low:+.3f} to {one.high:+.3f}",
                f"{one.adjusted:+.3f}",
                f"{one.adjusted_low:+.3f} to {one.adjusted_high:+.3f}",
            )
    return table
