"""English texts that twenty people each rated from -4 to 4 (Hutto & Gilbert 2014).

Reviews of products are what customers write to a shop; films, leaders and tweets are further
off. Beside the lexicon alone (VADER as its package has it), which ours is built upon: a text of
which nothing is said counts 0, as there. For Korean no package carries texts with ratings.
"""

import numpy as np
from vader import SentimentIntensityAnalyzer

from models.online.tally import Tally
from models.traits.sentiment import sentiment
from tests.evaluation import data
from tests.evaluation.measure import at_least

NAME = "sentiment"
SETS = {
    "reviews": "amazonReviewSnippets", "tweets": "tweets", "films": "movieReviewSnippets",
    "leaders": "nytEditorialSnippets",
}  # fmt: skip
LESS = 0.01  # of a correlation, that may be lost against the lexicon alone


def measure() -> dict:
    """Correlate with the mean rating; how well good is told from bad (AUC)."""
    found: dict = {"goals": []}
    lexicon = SentimentIntensityAnalyzer()
    for name, file in SETS.items():
        rows = data.rated(file)
        ratings = np.array([rating for rating, _ in rows])
        said = [sentiment(text) for _, text in rows]
        ours = np.array([(one or 0) / 1000 for one in said])
        theirs = np.array([lexicon.polarity_scores(text)["compound"] for _, text in rows])
        one = {
            "texts": len(rows),
            "said_something": 1.0 - said.count(None) / len(said),
            "correlation": float(np.corrcoef(ratings, ours)[0, 1]),
            "correlation_lexicon": float(np.corrcoef(ratings, theirs)[0, 1]),
            "auc": _auc(ours, ratings),
            "auc_lexicon": _auc(theirs, ratings),
        }
        found[name] = one
        bound = one["correlation_lexicon"] - LESS
        goal = at_least(f"sentiment of {name}: correlation", one["correlation"], bound)
        found["goals"].append(goal.told())
    return found


def _auc(opinions: np.ndarray, ratings: np.ndarray) -> float | None:
    tally = Tally()
    for opinion, rating in zip(opinions, ratings, strict=True):
        tally.update(0.5 + 0.5 * float(opinion), float(rating > 0))
    return tally.auc
