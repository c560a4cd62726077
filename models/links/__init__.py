"""Which customers are one: links, the forest that they grow, and how a member is parted again.

Every customer is in one group and its root is who they all are, so no identifier
ever names two customers.
"""

from models.identity_rules import LARGEST
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
from models.links.following import follow, merged, regrouped, told
from models.links.forest import (
    APPLIED,
    Edge,
    Identity,
    Merge,
    Place,
    Refusal,
    Resolution,
    decode_identity,
)
from models.links.joining import resolve
from models.links.parting import unmerge
from models.links.refusals import MEANS, WAYS, Why
from models.links.seen import links_of

__all__ = [
    "APPLIED",
    "LARGEST",
    "MEANS",
    "WAYS",
    "Command",
    "Edge",
    "Identity",
    "Kind",
    "Link",
    "Merge",
    "Place",
    "Refusal",
    "Resolution",
    "Unmerge",
    "Why",
    "decode_identity",
    "decode_link",
    "encode",
    "follow",
    "links_of",
    "merged",
    "regrouped",
    "resolve",
    "state_merge",
    "state_unmerge",
    "told",
    "unmerge",
]
