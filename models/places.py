"""Where each feature stands in an array of them, and its name outside: on the log and in models.

The order is that in which the features are written; a new one takes the place where it is to
be written. No array leaves the process, so that places may change from one version to the next.
"""

from __future__ import annotations

from typing import Final

PRIOR_LOGIT: Final = 0
ALIVE: Final = 1
SILENCE: Final = 2
VISITS: Final = 3
AGE: Final = 4
ONCE: Final = 5
GAP: Final = 6
OVERDUE: Final = 7
UNSTEADY: Final = 8
CONTRACT_ENDED: Final = 9
TENURE: Final = 10
RENEWALS: Final = 11
CONTRACTS: Final = 12
GIVEN_UP: Final = 13
TRIAL: Final = 14
PERIOD: Final = 15
TO_RENEWAL: Final = 16
UNRENEWED: Final = 17
RENEWAL_DUE: Final = 18
TERM_DUE: Final = 19
PRICE_RISE: Final = 20
ORDERS: Final = 21
ITEMS: Final = 22
REFUNDS: Final = 23
SINCE_ORDER: Final = 24
TICKETS: Final = 25
OPEN_TICKETS: Final = 26
SINCE_TICKET: Final = 27
WAIT: Final = 28
NPS: Final = 29
CSAT: Final = 30
CES: Final = 31
REVIEW: Final = 32
SENTIMENT: Final = 33
OPENED: Final = 34
CLICKED: Final = 35
ACCEPTED: Final = 36
DECLINED: Final = 37
MANY: Final = 38

NAMES: Final[tuple[str, ...]] = (
    *("prior_logit", "alive", "silence", "visits", "age", "once", "gap", "overdue", "unsteady"),
    *("contract_ended", "tenure", "renewals", "contracts", "given_up", "trial", "period"),
    *("to_renewal", "unrenewed", "renewal_due", "term_due", "price_rise", "orders", "items"),
    *("refunds", "since_order", "tickets", "open_tickets", "since_ticket", "wait", "nps"),
    *("csat", "ces", "review", "sentiment", "opened", "clicked", "accepted", "declined"),
)
