"""What a check found: how much there is on both sides, and what differs, by name."""

from __future__ import annotations

from msgspec import Struct, field

NAMED = 20  # differences of one partition that are told one by one; all are counted


class Difference(Struct, frozen=True):
    """One thing that is not what the log gives."""

    where: str  # "profiles/3", "clickhouse:touchpoints/0"
    what: str  # customer id, or the offset of a row
    how: list[str]  # the fields that differ, with counts; nothing that tells who somebody is


class Side(Struct):
    """How much one side has: records or rows, and a hash of all of them, in any order."""

    count: int = 0
    hash: int = 0

    def add(self, digest: int) -> None:
        """Count one more."""
        self.count += 1
        self.hash = (self.hash + digest) & 0xFFFFFFFFFFFFFFFF


class Check(Struct, kw_only=True):
    """One partition of one thing, by the log and as it is."""

    part: str  # profiles, identity, clickhouse
    where: str
    until: int  # the offset of its source before which all was compared
    expected: Side = field(default_factory=Side)
    found: Side = field(default_factory=Side)
    different: int = 0
    differences: list[Difference] = field(default_factory=list)  # the first NAMED
    in_flux: int = 0  # changed while we read, or not put together again yet: not compared
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether it is what the log gives."""
        return not self.different

    def differs(self, what: str, how: list[str]) -> None:
        """Count a difference, and name it if it is among the first."""
        self.different += 1
        if len(self.differences) < NAMED:
            self.differences.append(Difference(self.where, what, how))
