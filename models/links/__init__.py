"""Which customers are one: links, the forest that they grow, and how a member is parted again.

Every customer is in one group and its root is who they all are, so no identifier
ever names two customers.
"""

from models.links.commands import (
    Command,
    Kind,
    Link,
    Unmerge,
    decode_link,
    encode,
    state_merge,
    state_unmerge,
)
from models.links.forest import (
    LARGEST,
    Identity,
    Merge,
    Place,
    Refusal,
    Resolution,
    decode_identity,
    resolve,
)
from models.links.seen import links_of
from models.links.told import merged, regrouped
from models.links.unmerge import unmerge

__all__ = [
    "LARGEST",
    "Command",
    "Identity",
    "Kind",
    "Link",
    "Merge",
    "Place",
    "Refusal",
    "Resolution",
    "Unmerge",
    "decode_identity",
    "decode_link",
    "encode",
    "links_of",
    "merged",
    "regrouped",
    "resolve",
    "state_merge",
    "state_unmerge",
    "unmerge",
]
