"""The terminal, to which nothing but this program gives orders.

What customers, senders and files say is shown there, and a web page may hold a key to send by.
So a control character of theirs is shown as a sign: none moves the cursor, or sets a title.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_PICTURES: Final = 0x2400  # Unicode's pictures of the control characters: U+241B is the one of ESC
_SHOWN: Final = (
    {code: _PICTURES + code for code in range(0x20) if chr(code) not in "\n\t"}
    | {0x7F: "␡"}
    | dict.fromkeys(range(0x80, 0xA0), "�")
)


class Terminal(Console):
    """A console that shows control characters instead of sending them."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield what is to be written; the program's own control segments as they are."""
        for segment in super().render(renderable, options):
            text = segment.text
            if segment.control or text.isprintable():
                yield segment
            else:
                yield segment._replace(text=text.translate(_SHOWN))
