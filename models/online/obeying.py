"""What each command does to a learner. It says what became of it in the model's history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from models.online.snapshots import Kept
from models.records import Command

if TYPE_CHECKING:  # a learner obeys: it imports this
    from models.online.learning import Learner

_read = msgspec.json.Decoder(dict[str, Any]).decode
_kept = msgspec.json.Decoder(Kept).decode


class RefusedError(ValueError):
    """A command that cannot be followed; its text says why."""


def obey(learner: Learner, command: Command) -> None:
    """Follow a command. Raises RefusedError, and nothing is changed.

    What changes what serves is a version of its own: a version names one state.
    """
    by, reason = command.by, command.reason
    match command.action:
        case "freeze" | "unfreeze" as action:
            learner.frozen = action == "freeze"
            learner.note("frozen" if learner.frozen else "unfrozen", by, reason)
        case "reset":
            learner.keep()
            before = _swap(learner, None, "", "")
            learner.note("reset", by, reason, before=before)
        case "rollback":
            then = _found(learner, command.version)
            learner.keep()
            before = _swap(learner, _read(then.state), then.champion, then.horizon)
            learner.note("rolled_back", by, reason, before=before, after=str(then.version))
        case "promote":
            before, figures = learner.promote(command.candidate or "")
            learner.version += 1
            after = learner.champion
            learner.note("promoted", by, reason, before=before, after=after, figures=figures)
        case "population":
            learner.fit(command)
            learner.version += 1
            learner.note("fitted", by, reason)


def _swap(learner: Learner, weights: dict[str, Any] | None, champion: str, horizon: str) -> str:
    """Let the learner go on with another state; return the version that it was."""
    before = str(learner.version)
    learner.load(weights, champion)
    learner.horizon = horizon
    learner.version += 1
    return before


def _found(learner: Learner, version: int | None) -> Kept:
    value = None if version is None else learner.kept.get(version)
    if value is None:
        there = ", ".join(map(str, sorted(learner.kept))) or "none"
        raise RefusedError(f"version {version} is not kept; there are: {there}")
    return _kept(value)
