"""The words of model cards: by model what it predicts and from what, by kind how it is judged.

Kinds: "binary", "offers", "affinity", and "other".
"""

from __future__ import annotations

PREDICTS = {
    "churn": "the probability that a customer without a contract stays away: no contact of the "
    "customer's own within the horizon",
    "contract": "the probability that a customer with a contract has none left within the "
    "horizon: cancelled, or not renewed",
    "offers": "by offer and channel, the probability that making it is followed by a conversion",
    "population": "nothing by itself: parameters of lifetimes and spend, fitted to a sample of "
    "customers, from which the other models start",
    "affinity": "which products are bought together more often than chance",
}
DATA = {
    "offers": "decisions of this deployment with what came of them by the end of their window; "
    "rewards of 0 are released at the window's end, like the others",
    "population": "a sample of this deployment's customers, drawn by a hash of their id",
    "affinity": "baskets of this deployment's orders",
}
BINARY_DATA = (
    "predictions made for this deployment's customers, each with the features as they were then; "
    "both labels are released when the horizon ends, so no label tells by its freshness what it is"
)
SOURCES = {
    "prior_logit": "the lifetime model (MBG/NBD), or the tenure model of contracts",
    "subscribed": "subscription events",
}
SOURCE_BY_STEM = (
    (("silence", "visits", "gap", "overdue", "unsteady", "once", "age"), "the customer's contacts"),
    (("order", "item", "refund", "since_order", "spend"), "orders"),
    (("ticket", "wait", "open_tickets", "since_ticket"), "service tickets"),
    (("nps", "csat", "ces", "review", "sentiment"), "what the customer said"),
    (("open", "click"), "messages sent"),
    (("accept", "decline"), "offers shown"),
    (("contract", "tenure", "renew", "trial", "period", "price", "days_to"), "subscription events"),
)
SHOWN = (
    ("auc_window", "AUC"),
    ("log_loss_window", "log loss"),
    ("brier_window", "Brier score"),
    ("ece_window", "calibration error (ECE)"),
    ("base_rate_window", "came true"),
    ("predicted_window", "predicted on average"),
    ("lift_window", "lift of the highest tenth"),
    ("reward", "mean reward"),
    ("hit_rate", "hit rate: the product was among 5 guesses"),
    ("hit_rate_popular", "hit rate of the 5 best sellers"),
    ("examples", "examples judged, ever"),
)
JUDGED = {
    "binary": (
        "Judged when the label became known, by what had been predicted then. What was said of a",
        "past while it was read in (past) was told to nobody, by models that were still learning",
        "that past; it counts for nothing else. Over the newest 1,000 examples, but for the last",
        "row.",
    ),
    "offers": ("What came of the decisions that were made, since the start.",),
    "affinity": (
        "Of one basket in 20 a product was guessed from the others and what the customer had,",
        "before the basket was learnt; since the start.",
    ),
    "other": (),
}
LIMITS = {
    "binary": (
        "Whoever was predicted to leave may have been helped to stay: what is learnt of customers "
        "that somebody acted on mixes the risk with the help. Such examples are marked and judged "
        "apart (acted, untouched); compare the two before trusting either.",
        "The model's own predictions decide who is acted on, and so what it learns next (a "
        "feedback loop). A holdout that never gets offers, and a share of offers that is drawn by "
        "chance, keep part of the examples free of it.",
        "A probability says how often such customers left so far. It names no cause.",
        "Labels come a horizon late: a change of the customers' ways shows in the figures only "
        "after that, and the drift alert cannot come sooner.",
        "Figures over 1,000 examples are uncertain by some hundredths of AUC, by more where the "
        "label is rare; ECE is never 0 by chance alone.",
    ),
    "offers": (
        "What is known of an arm comes from those to whom it was made. The floor of exploration "
        "and the holdout keep that from being only whom the model favoured; compare policies by "
        "`c360 models evaluate`, not by the rewards in this card.",
        "A conversion that follows an offer need not follow from it: only the difference to the "
        "holdout is uplift.",
    ),
    "affinity": (
        "A product that goes with another is bought with it more often than by chance; that one "
        "makes the other be bought is not said.",
        "Hit rates are of what was bought anyway. Whether a product is bought because it was "
        "shown, they do not tell; read them beside the best sellers'.",
    ),
    "other": (
        "Parameters describe the population on average and say little of a single customer.",
    ),
}
