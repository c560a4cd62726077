"""The groups that `identity-links` gives, by the resolver's own rules, without the resolver."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import msgspec

from models.errors import TouchpointRejectedError
from models.identity_rules import Rules
from models.links import (
    LARGEST,
    Command,
    Identity,
    Link,
    decode_identity,
    decode_link,
    encode,
    follow,
)

_FIELDS: Final = Identity.__struct_fields__


class Forest:
    """The identities as they stand after what was taken, by some rules."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.identities: dict[str, Identity] = {}
        self.applied = -1  # offset of the newest command
        self.refused = 0  # commands that could not be followed: dead letters
        self.changed = set[str]()  # whose identity changed since this was last emptied

    def copy(self) -> Forest:
        """Return the forest as it stands: an identity never changes."""
        other = Forest(self._rules)
        other.identities = dict(self.identities)
        other.applied, other.refused = self.applied, self.refused
        return other

    def take(self, offset: int, value: bytes | None) -> str:
        """Follow one record of `identity-links`. Returns the link's id; "" when it is none."""
        try:
            command = decode_link(value or b"")
        except msgspec.DecodeError:
            self.refused += 1
            return ""
        with suppress(TouchpointRejectedError):
            self.follow(command, offset)
        return command.link_id if isinstance(command, Link) else ""

    def follow(self, command: Command, offset: int) -> None:
        """Carry out a command. Raises TouchpointRejectedError when that cannot be."""
        self.applied = max(self.applied, offset)
        try:
            found = follow(command, self.identities.get, offset, self._rules)
        except TouchpointRejectedError:
            self.refused += 1
            raise
        self.identities.update(found.changes)
        self.changed.update(found.changes)

    def chain(self, id: str) -> list[str]:
        """Return a customer and all above, the root last. Raises LookupError when there is none."""
        chain = [id]
        while (identity := self.identities.get(id)) is not None and identity.parent:
            id = identity.parent
            if id not in self.identities or len(chain) > LARGEST:
                raise LookupError(f"{chain[0]} has no root: the forest is broken at {id}")
            chain.append(id)
        return chain

    def root(self, id: str) -> str:
        """Return who a customer is."""
        return self.chain(id)[-1]

    def written(self, id: str) -> str:
        """Return an identity as the resolver keeps it."""
        return encode(self.identities[id]).decode()

    def same(self, id: str, value: bytes | None) -> bool:
        """Tell whether the resolver keeps of a customer what the links give."""
        ours = self.identities.get(id)
        return ours == (None if value is None else decode_identity(value))

    def differing(self, id: str, value: bytes) -> list[str]:
        """Name the fields of an identity in which it is another than the resolver's."""
        ours, theirs = self.identities[id], decode_identity(value)
        return [name for name in _FIELDS if getattr(ours, name) != getattr(theirs, name)]
