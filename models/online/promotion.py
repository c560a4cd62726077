"""When a challenger takes over: a bet against the champion that only being better can win.

For each challenger a wealth is kept, as if somebody bet on each example that the challenger
loses less on it than the champion. If the challenger is no better, no way of betting makes
the wealth grow on average; so a wealth of 1 / a false alarm's chance is evidence, whenever one
looks. Looking at each example is allowed: there is no last look, and no correction for many.

The bet is that of Waudby-Smith & Ramdas (2024, "Estimating means of bounded random variables
by betting"): 1 + stake * advantage, the stake set before the example is seen; comparing
forecasters by it is Choe & Ramdas (2023, "Comparing sequential forecasters"). Wealth never
falls below 1, so that a challenger who becomes the better one after a drift need not win back
what was lost before: this is the e-CUSUM of Shin, Ramdas & Rinaldo (2024, "E-detectors"), by
which two equals are exchanged no oftener than once in PATIENCE examples on average.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Self

FLOOR = 0.002  # a probability counts as at least this, so that no example decides alone
PATIENCE = 20_000  # examples between two exchanges of equals, at least, on average
DWELL = 500  # examples that a champion serves before it is challenged
WORST_ECE = 0.05  # a challenger calibrated worse than this, and than the champion, waits
MEMORY = 500.0  # examples over which the stake's two moments are averaged
_LOSS_MOST = -math.log(FLOOR)
_STAKE_MOST = 0.5 / (_LOSS_MOST + math.log1p(-FLOOR))  # never more than half of the wealth is lost
_MOMENT_START = 0.1  # of the squared advantage: stakes begin small


def loss(probability: float, label: float) -> float:
    """Return the log loss of a probability in [FLOOR, 1 - FLOOR]."""
    chance = min(1.0 - FLOOR, max(FLOOR, probability))
    return -math.log(chance if label >= 0.5 else 1.0 - chance)


class Race:
    """The champion of one model and the evidence for each challenger."""

    def __init__(self, champion: str, candidates: Iterable[str]) -> None:
        self.champion = champion
        self.candidates = tuple(candidates)
        self.run = 0  # examples since the champion took over
        self._bets: dict[str, list[float]] = {}  # log wealth, mean and square of the advantage
        self.crown(champion)

    @property
    def threshold(self) -> float:
        """The log wealth at which a challenger has won: each of them has its share of PATIENCE."""
        return self._threshold

    @property
    def evidence(self) -> dict[str, float]:
        """Each challenger's log wealth."""
        return {name: bet[0] for name, bet in self._bets.items()}

    def is_won(self) -> bool:
        """Tell whether a challenger's wealth has reached the threshold."""
        most = max([bet[0] for bet in self._bets.values()], default=0.0)
        return most >= self._threshold

    def crown(self, champion: str) -> None:
        """Let another one serve; all evidence is gathered anew against it."""
        self.champion, self.run = champion, 0
        others = (name for name in self.candidates if name != champion)
        self._bets = {name: [0.0, 0.0, _MOMENT_START] for name in others}
        self._threshold = math.log(PATIENCE * max(1, len(self._bets)))

    def update(self, chances: Mapping[str, float], label: float) -> None:
        """Take in what each candidate predicted, all at the same moment, and what came true."""
        self.run += 1
        champions = loss(chances[self.champion], label)
        for name, bet in self._bets.items():
            advantage = champions - loss(chances[name], label)
            wealth, mean, square = bet
            stake = min(_STAKE_MOST, max(0.0, mean / square))
            bet[0] = max(0.0, wealth) + math.log1p(stake * advantage)
            bet[1] = mean + (advantage - mean) / MEMORY
            bet[2] = max(1e-9, square + (advantage * advantage - square) / MEMORY)

    def winner(self, errors: Mapping[str, float]) -> str | None:
        """Return who is to take over, if anybody; `errors`: each candidate's newest ECE."""
        if self.run < DWELL:
            return None
        bound = max(WORST_ECE, errors.get(self.champion, 0.0))
        won = [
            (-bet[0], place, name)
            for place, (name, bet) in enumerate(self._bets.items())
            if bet[0] >= self.threshold and errors.get(name, 1.0) <= bound
        ]
        return min(won)[2] if won else None

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        bets = {name: list(bet) for name, bet in self._bets.items()}
        return {"champion": self.champion, "run": self.run, "bets": bets}

    @classmethod
    def from_state(cls, state: dict[str, Any], start: str, candidates: Iterable[str]) -> Self:
        """Return the race that `to_state` wrote; `start` serves if its champion is no more."""
        race = cls(start, candidates)
        if state["champion"] in race.candidates:
            race.crown(state["champion"])
            race.run = state["run"]
            race._bets |= {
                name: list(map(float, bet))
                for name, bet in state["bets"].items()
                if name in race._bets
            }
        return race
