"""Reasons in words, Korean and English: what a call-centre agent reads beside a score.

A sentence tells what was counted and what is usual: the customer's own habit where it is known,
else the population's mean. It claims no cause.
"""

from __future__ import annotations

from models.phrases import (
    FLAGS,
    HERE,
    JUST_NOW,
    PLAIN,
    TOLD,
    Language,
    Told,
    count,
)
from models.records import Reason

LANGUAGES: tuple[Language, ...] = ("en", "ko")


def sentence(reason: Reason, language: Language) -> str:
    """Say in words what a reason counted, and what is usual where that is known."""
    about = reason.about or reason.feature
    at = LANGUAGES.index(language)
    if about in PLAIN:
        return PLAIN[about][at]
    if about in FLAGS:
        flag = FLAGS[about]
        return (flag.yes if reason.value >= 0.5 else flag.no)[at]
    told = TOLD.get(about) or _unknown(about)
    if about == "silence" and reason.value < JUST_NOW:
        told = HERE
    pattern = told.ko if language == "ko" else told.en
    if reason.usual is None:
        return pattern.partition(", ")[0].format(value=told.show(reason.value, language))
    value, usual = (told.show(one, language) for one in (reason.value, reason.usual))
    return pattern.format(value=value, usual=usual)


def in_words(reason: Reason) -> dict[str, str]:
    """Return the sentence by language."""
    return {language: sentence(reason, language) for language in LANGUAGES}


def _unknown(feature: str) -> Told:
    name = feature.replace("_", " ").replace(":", " ").replace("{", "").replace("}", "")
    return Told(count, f"{name}: {{value}}, others {{usual}}", f"{name}: {{value}}, 평균 {{usual}}")
