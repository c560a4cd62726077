"""From a snapshot to the judge: the one place where what predicts is taken from the log.

What was learnt by another definition of the label than the judge's own does not predict: until
the learner has begun anew, the lifetime prior does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from models import population
from models.horizon import CONTRACT as CONTRACT_HORIZON
from models.horizon import SILENCE, horizon
from models.judge import Judge
from models.online.learner import CHURN, CONTRACT, OFFERS, POPULATION
from models.online.offers import OfferModel
from models.online.served import Served, decode
from models.online.snapshots import Sight

_state = msgspec.json.Decoder(dict[str, Any]).decode


def seated(judge: Judge, sight: Sight) -> Judge:
    """Return the judge with the snapshot's model in place of the older one."""
    if sight.model == CHURN:
        wanted = horizon(SILENCE, judge.horizon_days)
        return replace(judge, churn=_binary(sight, wanted))
    if sight.model == CONTRACT:
        wanted = horizon(CONTRACT_HORIZON, judge.contract_horizon_days)
        return replace(judge, contract=_binary(sight, wanted))
    if sight.model == OFFERS:
        return replace(judge, offers=OfferModel.from_state(_state(sight.served)))
    if sight.model == POPULATION:
        return replace(judge, population=population.decode(sight.served))
    return judge


def _binary(sight: Sight, wanted: str) -> Served:
    return decode(sight.served) if sight.horizon in ("", wanted) else Served.untrained()
