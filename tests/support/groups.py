"""Who is one customer, by the resolver's own rules, and what the folds are told of it."""

from models.errors import TouchpointRejectedError
from models.events import CustomerIdentified
from models.identity import customer_id_of
from models.links import Identity, follow, links_of, state_merge, state_unmerge, told
from models.links.stand import Stand
from tests.support.histories import event

_AT_MS = 1_790_000_000_000


class Groups:
    """The forest, and the commands that it grew by."""

    def __init__(self):
        self._forest: dict[str, Identity] = {}
        self._commands = -1  # offset of the newest on identity-links

    def members(self, one):
        """Return a customer's whole group, itself included."""
        stand = Stand(self._forest.get)
        return set(stand.ring(stand.root(one))) if stand.find(one) is not None else {one}

    def root(self, one):
        """Return who stands for a customer."""
        stand = Stand(self._forest.get)
        return stand.root(one) if stand.find(one) is not None else one

    def join(self, a, b, stated=False):
        """Follow what says that two identifiers are one customer; return what is told."""
        if stated:
            at_ms = _AT_MS + self._commands
            return self._follow(state_merge(a, b, "ana", "asked by phone", at_ms))
        (link,) = links_of(event(CustomerIdentified, who=(a, b)))
        return self._follow(link)

    def part(self, one):
        """Take a member out of its group; return what is told: nothing, when there is none."""
        at_ms = _AT_MS + self._commands
        return self._follow(state_unmerge(customer_id_of(one), "ana", "a family's tablet", at_ms))

    def _follow(self, command):
        self._commands += 1
        try:
            found = follow(command, self._forest.get, self._commands)
        except TouchpointRejectedError:
            return []
        self._forest |= found.changes
        return list(told(command, found, "identity-links/0", self._commands))
