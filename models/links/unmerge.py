"""How a member is taken out of its group."""

from __future__ import annotations

from collections.abc import Callable

from models.links.commands import Unmerge
from models.links.forest import Identity, Resolution


def unmerge(
    command: Unmerge, lookup: Callable[[str], Identity | None], generation: int
) -> Resolution:
    """Return what parting a member from its group changes: `generation` is the command's offset.

    Raises TouchpointRejectedError when there is nothing to part.
    """
    raise NotImplementedError
