"""A resolver in small: who is one by which links, and the events that tell the folds of it."""

from datetime import timedelta

from models.events import CustomerMerged, CustomerRegrouped, made
from tests.support.histories import NOON


class Groups:
    """Links form trees; a tree's root is its strongest name, the one that comes first in `ids`."""

    def __init__(self, ids):
        self.ids = ids  # strongest first
        self.links = set()  # that merged two trees
        self.cut = set()
        self.generation = {}  # root -> of the regrouping that made its group
        self.offset = -1  # of the newest command

    def members(self, one, without=()):
        """Return who is reached from `one` by links, itself included."""
        found, row = {one}, [one]
        for at in row:
            for pair in self.links - set(without):
                if at in pair:
                    (other,) = pair - {at}
                    if other not in found:
                        found.add(other)
                        row.append(other)
        return found

    def root(self, one):
        return min(self.members(one), key=self.ids.index)

    def roots(self):
        return {self.root(one) for one in self.ids}

    def join(self, a, b, stated=False):
        """Follow a link; return what is told."""
        self.offset += 1
        pair = frozenset((a, b))
        left, right = self.root(a), self.root(b)
        if left == right or (pair in self.cut and not stated):
            return []
        self.cut.discard(pair)
        self.links.add(pair)
        winner, loser = sorted((left, right), key=self.ids.index)
        self.generation.pop(loser, None)
        told = self._told(
            CustomerMerged, loser, f"merged:{self.offset}", winner=winner, loser=loser,
            link_id=f"l{self.offset}", generation=self.generation.get(winner, -1),
        )  # fmt: skip
        return [told]

    def part(self, member):
        """Take a member out of its group, with all who hang on it; return what is told."""
        self.offset += 1
        root = self.root(member)
        if root == member:
            return []
        (above,) = [
            pair
            for pair in self.links
            if member in pair and root not in self.members(member, [pair])
        ]
        self.links.discard(above)
        self.cut.add(above)
        told = []
        for side in (self.members(member), self.members(root)):
            root_now = min(side, key=self.ids.index)
            self.generation[root_now] = self.offset
            told += [
                self._told(
                    CustomerRegrouped, one, f"regrouped:{self.offset}:{one}", root=root_now,
                    generation=self.offset, others=len(side) - 1 if one == root_now else 0,
                    unmerge_id=f"u{self.offset}", by="ana", reason="a family's tablet",
                )
                for one in sorted(side)
            ]  # fmt: skip
        return told

    def _told(self, kind, customer_id, event_id, **fields):
        at = NOON + timedelta(hours=self.offset)
        return made(
            kind, event_id=event_id, occurred_at=at, received_at=at, customer_id=customer_id,
            origin="identity-links/0", origin_offset=self.offset, **fields,
        )  # fmt: skip
