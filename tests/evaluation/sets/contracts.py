"""Made-up subscribers (`tests.evaluation.subscribers`): whose contract is over in 30 days?

Events go through the core as the stream has them: contracts, timers at silence and about each
term's end, labels 30 days late, eight waiting at most; the tenure's parameters are fitted anew each
90 days on what is known then. Learners and batch models (anew each 30 days) get the same examples.
`truth` knows the world's rules and each customer's hidden state, so nobody can do better. Told in
time is an end within 60 days before which a customer came among the riskiest tenth and stayed
there.
"""

from collections import defaultdict
from statistics import median

import numpy as np
from msgspec.structs import replace

from infra.evaluation.churn import add, window
from infra.evaluation.pupil import Contestants
from models.catalogue import Catalogue
from models.contracts import GRACE_DAYS
from models.customer import Customer
from models.events.clock import ms_of
from models.fitting import CannotFitError, fit_tenure
from models.horizon import CONTRACT, model_of
from models.identity import identify
from models.judge import Judge
from models.online.prequential import CHAMPION, Prequential, Row
from models.online.tally import Tally
from models.population import DEFAULT, Population
from models.react import Position, react
from models.records import unpack
from models.rhythm import DAY_MS
from models.timers import fired
from tests.evaluation import subscribers
from tests.evaluation.measure import against, at_least, batches
from tests.evaluation.subscribers_truth import truth

NAME = "contracts"
SEED, CUSTOMERS = 11, 1_000
HORIZON, REFIT, RETRAINED = 30, 90, 30  # days
BATCH = ("batch_lr", "batch_gb")
AHEAD, SOON = 60, 7  # days before an end that are looked at; days by which it should be told
HALF = 0.5  # of what the truth tells, which knows states and natures that nobody sees
_TOLD = f"told_{SOON}_days_ahead"
_WHY = "the truth knows who uses it less for good, whose price rose, and who is inclined to leave"
_OVERLAP = (
    "two predictions of a customer wait at a time and may share their label; not all learners "
    "count them by what is new: see docs/models.md, Limits"
)


def measure() -> dict:
    """Run the candidates and the batch models over the same examples, beside the truth."""
    people = [subscribers.subscriber(SEED, number) for number in range(CUSTOMERS)]
    rows = examples(people)
    tested_from = len(rows) // 2
    run = Prequential(Contestants(), tested_from, window(len(rows)))
    served = [run.ask(row)[CHAMPION] for row in rows][tested_from:]
    run.close()
    result = run.report()
    tested = rows[tested_from:]
    known = truth(people, [(row.key, row.at) for row in tested], HORIZON, GRACE_DAYS)
    best = Tally()
    for row, chance in zip(tested, known, strict=True):
        best.update(chance, row.label)
    add(result, {**batches(rows, run.tested_from, RETRAINED), "truth": best})
    result["told"] = {
        "served": told(people, tested, served),
        "truth": told(people, tested, known),
    }
    result["goals"] = goals(result)
    return result


def goals(result: dict) -> list[dict]:
    """Return what is asked of the one that serves: beside batch models, the prior, the truth."""
    tested, ours = result["tested"], result["tested"]["champion"]
    knowable = tested["prior"]["log_loss"] - tested["truth"]["log_loss"]
    known = (tested["prior"]["log_loss"] - ours["log_loss"]) / knowable
    ahead = result["told"]["served"][_TOLD] / result["told"]["truth"][_TOLD]
    return [
        *against(NAME, result, BATCH, _OVERLAP),
        at_least("contracts: AUC over the prior's", ours["auc"], tested["prior"]["auc"]).told(),
        at_least("contracts: log loss saved, of what the truth saves", known, HALF, _WHY).told(),
        at_least(f"contracts: ends told {SOON} days ahead, of the truth's", ahead, HALF).told(),
    ]


def examples(people: list[subscribers.Subscriber]) -> list[Row]:
    """Return the predictions of contracts that the core made, with their labels, by time."""
    fits = Fits(people)
    rows = [row for one in people for row in _examples(one, fits)]
    rows.sort(key=lambda row: (row.at, row.key))
    return rows


def _examples(one: subscribers.Subscriber, fits: "Fits"):
    customer, offset = Customer(customer_id=""), 0
    end = int(subscribers.BEGAN.timestamp() * 1000) + subscribers.DAYS * DAY_MS
    alarms = [*((ms_of(event.occurred_at), event) for event in one.events), (end, None)]
    for at_ms, event in alarms:
        while (due := min(customer.timers.values(), default=end)) < at_ms:
            alarm = fired(customer.customer_id, due, due)
            reaction = react(customer, alarm, Position("events", 0, offset), fits.judge(due))
            customer, offset = reaction.customer, offset + 1
            yield from _rows(one, reaction)
        if event is None:
            break
        known = identify(event, "touchpoints/0", offset)
        customer = customer if offset else replace(customer, customer_id=known.customer_id)
        reaction = react(customer, known, Position("events", 0, offset), fits.judge(at_ms))
        customer, offset = reaction.customer, offset + 1
        yield from _rows(one, reaction)


def _rows(one, reaction):
    for made in reaction.examples:
        if made.model == model_of(CONTRACT):
            at, known = _day(made.at_ms), _day(made.label_ms)
            yield Row(at, one.name, unpack(made.features), known, made.label, made.weight)


def _day(at_ms: int) -> float:
    return (at_ms - int(subscribers.BEGAN.timestamp() * 1000)) / DAY_MS


class Fits:
    """The population's parameters as the scheduled job would have had them on each day."""

    def __init__(self, people: list[subscribers.Subscriber]) -> None:
        self._signed = [signed for one in people for signed in one.contracts]
        self._known: dict[int, Judge] = {}

    def judge(self, at_ms: int) -> Judge:
        """Return the judge of a time: no model yet, so that the prior scores."""
        step = int(_day(at_ms)) // REFIT
        if step not in self._known:
            self._known[step] = Judge(
                catalogue=Catalogue(), contract_horizon_days=HORIZON, population=self._fit(step)
            )
        return self._known[step]

    def _fit(self, step: int) -> Population:
        now = float(step * REFIT)
        seen = [one for one in self._signed if one.begins < now]
        ends = [one.ended if one.ended is not None else now for one in seen]
        lasted = np.array([min(now, end) - one.begins for one, end in zip(seen, ends, strict=True)])
        ended = np.array([end < now for end in ends], dtype=bool)
        try:
            return replace(DEFAULT, contracts=fit_tenure(lasted, ended))
        except CannotFitError:
            return DEFAULT


def told(people, rows: list[Row], chances: list[float]) -> dict[str, float]:
    """Return how long before their ends customers came among the riskiest tenth, to stay there."""
    border = float(np.quantile(chances, 0.9))
    of: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for row, chance in zip(rows, chances, strict=True):
        of[row.key].append((row.at, chance >= border))
    ahead = []
    for one in people:
        for signed in one.contracts:
            if signed.ended is None or signed.ended < rows[0].at + AHEAD:
                continue
            looks = [look for look in of[one.name] if signed.ended - AHEAD < look[0] < signed.ended]
            ahead.append(signed.ended - _since(looks, signed.ended))
    return {
        "ends": len(ahead),
        "days_median": median(ahead),
        _TOLD: sum(days >= SOON for days in ahead) / len(ahead),
    }


def _since(looks: list[tuple[float, bool]], end: float) -> float:
    since = end
    for at, risky in reversed(looks):
        if not risky:
            break
        since = at
    return since
