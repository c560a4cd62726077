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
ORDERS: Final = 20
ITEMS: Final = 21
REFUNDS: Final = 22
SINCE_ORDER: Final = 23
TICKETS: Final = 24
OPEN_TICKETS: Final = 25
SINCE_TICKET: Final = 26
WAIT: Final = 27
NPS: Final = 28
CSAT: Final = 29
CES: Final = 30
REVIEW: Final = 31
SENTIMENT: Final = 32
OPENED: Final = 33
CLICKED: Final = 34
ACCEPTED: Final = 35
DECLINED: Final = 36
MANY: Final = 37

NAMES: Final = (
    *("prior_logit", "alive", "silence", "visits", "age", "once", "gap", "overdue", "unsteady"),
    *("contract_ended", "tenure", "renewals", "contracts", "given_up", "trial", "period"),
    *("to_renewal", "unrenewed", "renewal_due", "term_due", "orders", "items", "refunds"),
    *("since_order", "tickets", "open_tickets", "since_ticket", "wait", "nps", "csat", "ces"),
    *("review", "sentiment", "opened", "clicked", "accepted", "declined"),
)
