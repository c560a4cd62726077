"""What the console says: one catalogue of messages a language, in `messages/`.

A key that a catalogue lacks is an error; names that senders make up (a trait, a
custom event) are shown as they are, made readable.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "ko")
_FOLDER = Path(__file__).parent / "messages"


class Words:
    """The messages of one language."""

    def __init__(self, language: str, messages: dict[str, str]) -> None:
        self.language = language
        self.messages = messages

    def __call__(self, key: str, /, **values: object) -> str:
        """Return a message. Raises KeyError when there is none of this key."""
        return self.messages[key].format(**values)

    def label(self, group: str, name: str) -> str:
        """Return the word for a name that came from outside, or the name made readable."""
        known = self.messages.get(f"{group}.{name}")
        return known if known is not None else readable(name)

    def has(self, key: str) -> bool:
        """Tell whether there is a message of this key."""
        return key in self.messages

    def count(self, unit: str, number: float) -> str:
        """Write a number with its unit: "1 day", "3.5 days", "3.5일"."""
        shown = f"{number:,.1f}".removesuffix(".0")
        form = "one" if shown == "1" else "other"
        return self.messages[f"unit.{unit}.{form}"].format(number=shown)


def readable(name: str) -> str:
    """Make a program's name readable: "last_branch" gives "Last branch"."""
    spaced = name.replace("_", " ").replace("-", " ").strip()
    return spaced[:1].upper() + spaced[1:]


@cache
def words(language: str) -> Words:
    """Return the catalogue of a language."""
    tree = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return Words(language, flat(tree))


def flat(tree: dict[str, object], before: str = "") -> dict[str, str]:
    """Return a tree of tables as messages by dotted key."""
    messages: dict[str, str] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            messages |= flat(value, f"{before}{name}.")
        else:
            messages[before + name] = str(value)
    return messages


def choose(asked: str | None, kept: str | None, accepted: str | None) -> str:
    """Return the language to speak: asked for, chosen before, or accepted by the browser."""
    for choice in (asked, kept):
        if choice in LANGUAGES:
            return choice
    for part in _by_weight(accepted or ""):
        if (language := part.split("-")[0].lower()) in LANGUAGES:
            return language
    return LANGUAGES[0]


def _by_weight(accepted: str) -> list[str]:
    weighed: list[tuple[float, str]] = []
    for part in accepted.split(",")[:20]:
        name, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), name))
        except ValueError:
            continue  # a header that cannot be read accepts nothing
    return [name for _, name in sorted(weighed, key=lambda one: one[0])]
