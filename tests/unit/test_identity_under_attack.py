"""One name that everybody sends: bounded, refused, and told."""

import pytest

from models.identity_rules import SHIPPED, Rules
from models.links import Link, decode_identity, encode, follow
from models.links.forest import REMEMBERED

PEOPLE = 20_000
BATCH = 2_000


class Kept:
    """The forest as the resolver keeps it: as bytes, read and written once a batch."""

    def __init__(self, rules):
        self.rules, self.state, self.written, self.reasons, self.news = rules, {}, 0, {}, 0
        self._met, self._changed = {}, set()

    def take(self, links):
        for offset, link in enumerate(links):
            found = follow(link, self.find, offset, self.rules)
            self._met |= found.changes
            self._changed |= found.changes.keys()
            if found.refusal is not None:
                reason = found.refusal.reason
                self.reasons[reason] = self.reasons.get(reason, 0) + 1
                self.news += found.news
            if offset % BATCH == BATCH - 1:
                self._write()
        self._write()

    def find(self, id):
        if id not in self._met:
            value = self.state.get(id)
            self._met[id] = None if value is None else decode_identity(value)
        return self._met[id]

    def _write(self):
        for id in self._changed:
            self.state[id] = encode(self._met[id])
            self.written += len(self.state[id])
        self._met, self._changed = {}, set()


def link(left, left_type, right, right_type, kind="observed"):
    return Link(f"{kind}:{left}:{right}", kind, left, left_type, right, right_type, "e", 0, 0)


def device_of_all():
    return (link("d", "device_id", f"u{n}", "user_id") for n in range(PEOPLE))


def device_with_all_mails():
    return (link("d", "device_id", f"m{n}", "email") for n in range(PEOPLE))


def user_of_all_browsers():
    return (link(f"a{n}", "anonymous_id", "u", "user_id") for n in range(PEOPLE))


@pytest.mark.parametrize(
    ("links", "rules", "members", "reasons"),
    [
        (device_of_all, SHIPPED, 1, {"two_users": 1, "shared": PEOPLE - 2}),
        (device_of_all, Rules(shared_after=0), 2, {"two_users": PEOPLE - 1}),
        (device_with_all_mails, SHIPPED, 6, {"too_many": PEOPLE - 5}),
        (user_of_all_browsers, SHIPPED, 501, {"too_many": PEOPLE - 500}),
    ],
)
def test_a_name_that_everybody_shares_stays_small(links, rules, members, reasons):
    kept = Kept(rules)
    kept.take(links())
    nodes = {id: decode_identity(value) for id, value in kept.state.items()}
    assert max(node.size for node in nodes.values()) == max(members, 1)
    assert kept.reasons == reasons
    assert max(map(len, kept.state.values())) < 100 * REMEMBERED + 1_000
    assert kept.written < 400 * PEOPLE, "a batch writes what it met once"
    assert kept.news <= 2, "the log is told once"
