"""Why a link is not followed, and what whoever wants it followed may do: for people to read."""

from __future__ import annotations

from typing import Final, Literal

Why = Literal["two_users", "too_large", "too_many", "unmerged", "shared"]
MEANS: Final[dict[Why, str]] = {
    "two_users": "each side has another value of a unique type",
    "too_large": "the group, or the links on one name, would be more than the limit",
    "too_many": "the group would have more names of one type than the limit",
    "unmerged": "somebody parted the two",
    "shared": "one end is a device or browser of many people",
}
WAYS: Final[dict[Why, str]] = {
    "two_users": "if they are one person, merge them: `c360 identity merge`",
    "too_large": "if a name joins people who are not one, part it and block it in the rules;"
    " else raise `total`",
    "too_many": "if a name joins people who are not one, part it and block it in the rules;"
    " else raise the limit of its type",
    "unmerged": "if they are one person after all, merge them: `c360 identity merge`",
    "shared": "no merge brings it back, for it names several people: merge their own names",
}
