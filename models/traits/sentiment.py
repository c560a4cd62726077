"""Opinion in what customers write, in Korean and English, as a whole number of thousandths.

English by VADER (Hutto & Gilbert 2014) as nltk-vader-sentiment has it, with the words of
service that its lexicon lacks; Korean by `models.traits.korean` and the same rules: what
turns a word round, what strengthens it, and that what comes after "but" counts more. Emoji are
VADER's in both (`models.traits.signs`), stars and points a rule's (`models.traits.ratings`). Each
sentence, and each rating, is judged by itself: the text is the sum of those that say anything, by
the root of how many.
"""

from __future__ import annotations

import re
from math import sqrt
from typing import Final

from vader import SentimentIntensityAnalyzer
from vader.data.lexicon import MULTIWORD

from models.traits.korean import BUT, LESS, LEXICON, MORE
from models.traits.ratings import ratings
from models.traits.signs import NAMES, RENAMED, has_signs, signs

# VADER and the Korean lexicon; another one, or another way to add up, is another source: in the
# first one a text was the mean of its sentences, the second read no ratings, nor emoji in Korean.
SOURCE: Final = "lexicon-3"
LONGEST = 2_000  # characters that are read of a text
_ALPHA = 15.0  # VADER's: how soon a sum of weights is near certain
_SUREST = 0.9999  # VADER rounds: nearer to 1 it does not tell how much a sentence weighs
_TURNED = -0.74  # VADER's: what a negated weight is worth
_STRONGER, _WEAKER = 1.3, 0.7
_BEFORE_BUT, _AFTER_BUT = 0.5, 1.5  # VADER's
_NEAR = 8  # characters before a word in which it is strengthened

_SERVICE: Final = {
    **dict.fromkeys(("slow", "late", "delayed", "expensive", "pricey", "crash"), -1.4),
    **dict.fromkeys(("crashes", "crashed", "crashing", "unresolved", "unanswered"), -1.8),
    **dict.fromkeys(("unhelpful", "overcharged", "defective", "faulty", "broke", "buggy"), -2.2),
    **dict.fromkeys(("misleading", "incompetent", "unprofessional", "unreliable"), -2.2),
    **dict.fromkeys(("junk", "ripoff", "overpriced", "unusable", "stopped", "unacceptable"), -2.0),
    **dict.fromkeys(("fast", "quick", "quickly", "prompt", "promptly", "smooth", "solved"), 1.6),
    **dict.fromkeys(("affordable", "responsive", "knowledgeable", "seamless", "works"), 1.6),
    **dict.fromkeys(("recommended", "courteous", "flawless", "reliable"), 2.0),
    **dict.fromkeys(("thanks", "thank"), 1.0),  # most often the end of a letter
    **dict.fromkeys(("please", "help", "want", "credit", "support", "security", "dear"), 0.0),
    **dict.fromkeys(("hello", "regards", "share", "interest", "increase", "number"), 0.0),
}
_PHRASES: Final = {
    **dict.fromkeys(("no refund", "no response", "no answer", "no reply", "no help"), -2.2),
    **dict.fromkeys(("not working", "do not buy"), -2.2),
    **dict.fromkeys(("would like", "i'd like", "customer care", "best regards"), 0.0),
    **dict.fromkeys(("kind regards", "kindest regards", "warm regards", "looking like"), 0.0),
}
_english: Final = SentimentIntensityAnalyzer(
    extra_lexicon={**_SERVICE, "neveragain": -2.8},
    multiword={**MULTIWORD, **_PHRASES, **NAMES},
    emoji=RENAMED,
)
_NEVER_AGAIN: Final = re.compile(r"\bnever\b[^,;]{0,40}\bagain\b", re.IGNORECASE)

_SENTENCE: Final = re.compile(r"[^.!?\n。！？]+[.!?。！？]*")  # with its marks, which VADER counts
_HANGUL: Final = re.compile("[가-힣ㄱ-ㅎㅏ-ㅣ]")


def _pattern(entries: tuple[str, ...] | dict[str, int]) -> str:
    ordered = sorted(entries, key=len, reverse=True)
    return "|".join(re.escape(entry).replace("_", " ?") for entry in ordered)


_WEIGHT: Final = {entry.replace("_", ""): weight for entry, weight in LEXICON.items()}
_WORD: Final = re.compile(_pattern(LEXICON))
_MORE, _LESS = re.compile(_pattern(MORE)), re.compile(_pattern(LESS))
_BUT: Final = re.compile(_pattern(BUT) + r"|[가-힣]데(?=[\s,])")
_NOT_BEFORE: Final = re.compile(r"(?:^|[^가-힣])(?:안|못)\s?$")
_NOT_AFTER: Final = re.compile(
    r"(?:[가-힣]{0,3}고\s?싶)?[가-힣]{0,4}?(?:지|진|질)(?:는|도|가|를)?\s?(?:않|못|안|마)"
    r"|[가-힣]{0,2}?(?:함|점|것)?(?:이|은|도|가|는|을)?\s?(?:하나도\s?|전혀\s?)?(?:없|아니|아닌|아닙|아님)"
)


def sentiment(text: str) -> int | None:
    """Return how well a text speaks, from -1000 to 1000; None when it says nothing of it."""
    text, total, said = text[:LONGEST], 0.0, 0
    signed = has_signs(text)
    if signed or "별" in text or "만점" in text or "평점" in text:
        rated, text = ratings(text)
        total, said = sum(rated), len(rated)
    for sentence in _SENTENCE.findall(text):
        weight = _sentence(sentence, signed)
        if weight is not None:
            total, said = total + weight, said + 1
    if not said:
        return None
    total /= sqrt(said)
    return round(1000 * total / sqrt(total * total + _ALPHA))


def _sentence(sentence: str, signed: bool) -> float | None:
    """Return the sum of a sentence's weights; None when it says nothing."""
    if sentence.isspace():
        return None
    if not _HANGUL.search(sentence):
        return _by_vader(sentence)
    words = _korean(sentence)
    shown = _by_vader(signs(sentence)) if signed else None
    if words is None or shown is None:
        return shown if words is None else words
    return words + shown


def _by_vader(sentence: str) -> float | None:
    compound = _english.polarity_scores(_NEVER_AGAIN.sub("neveragain", sentence))["compound"]
    if not compound:
        return None
    compound = min(_SUREST, max(-_SUREST, compound))
    return compound * sqrt(_ALPHA / (1.0 - compound * compound))  # as it was before VADER's scale


def _korean(sentence: str) -> float | None:
    total, found = 0.0, False
    hits = list(_WORD.finditer(sentence))
    turn = max((but.start() for but in _BUT.finditer(sentence)), default=-1) if hits else -1
    for number, hit in enumerate(hits):
        weight: float = _WEIGHT[hit.group().replace(" ", "")]
        following = hits[number + 1].start() if number + 1 < len(hits) else None
        if hit.group() == "별로" and following is not None and following - hit.end() <= _NEAR:
            continue  # it belongs to what comes next, which is turned round already
        if not weight:
            continue
        before = sentence[max(0, hit.start() - _NEAR) : hit.start()]
        if _NOT_BEFORE.search(before) or _NOT_AFTER.match(sentence, hit.end()):
            weight *= _TURNED
        if _MORE.search(before):
            weight *= _STRONGER
        elif _LESS.search(before):
            weight *= _WEAKER
        if turn >= 0:
            weight *= _BEFORE_BUT if hit.start() < turn else _AFTER_BUT
        total, found = total + weight, True
    return total if found else None
