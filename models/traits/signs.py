"""What emoji say: the names that VADER's emoji lexicon gives them, where no word of them tells.

VADER reads an emoji as the words of its name ("face with tears of joy"), by
`emoji_utf8_lexicon.txt` as nltk-vader-sentiment has it. Many a name has no word with a
weight, or one that means another thing; those are weighed here, on VADER's scale, whole names
at a time: they hold for every skin and sex, and do not touch the same words in other places.
"""

from __future__ import annotations

import re
from typing import Final

from vader.data.emoji import EMOJI

NAMES: Final = {
    **dict.fromkeys(("thumbs up", "clapping hands", "savoring food"), 2.0),
    "hundred points": 2.5,
    **dict.fromkeys(("rolling eyes", "expressionless face"), -1.2),
    **dict.fromkeys(("unamused face", "pensive face", "persevering face"), -1.6),
    **dict.fromkeys(("confounded face", "person facepalming", "man facepalming"), -1.6),
    **dict.fromkeys(("woman facepalming", "steam from nose", "pile of poo"), -1.6),
    **dict.fromkeys(("thumbs down", "nauseated face"), -2.0),
    **dict.fromkeys(("pouting face", "face vomiting", "symbols on mouth"), -2.5),
}
# "but" in a name would halve what stands before it, and nothing burns in a review.
RENAMED: Final = {
    **EMOJI,
    **{"😥": "sad face", "🤩": "amazed face", "♡": "heart suit", "🔥": "flames", "🥲": "sad face"},
}

_RUN: Final = re.compile("[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff\u200d\ufe0f]+")
_OTHER: Final = re.compile("[^\x00-\u25ff\u3000-\u318f가-힣]")


def has_signs(text: str) -> bool:
    """Return whether there may be an emoji: one quick search, for most texts have none."""
    return _OTHER.search(text) is not None


def signs(text: str) -> str:
    """Return the emoji of a text alone."""
    return "".join(_RUN.findall(text))
