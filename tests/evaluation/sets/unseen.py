"""Tables as anybody would bring them: evaluate-file, no options. Most were not looked at before.

Each goes through whole, with what the command finds by itself; beside it batch models on the
same rows. Asked is that the online champion is as good as batch logistic regression in the
tested half, and that a probability means what it says.
"""

from infra.evaluation import churn
from infra.evaluation.roles import Asked
from infra.evaluation.table import Table
from tests.evaluation import data
from tests.evaluation.measure import RANKS, at_least, at_most

NAME = "unseen"
RETRAINED = 2
FEW = 1_000  # tested rows below which calibration is uncertain by more than what is asked
# Folder, name, what has to be said because the table does not.
TABLES: dict[str, tuple[str, str, dict]] = {
    "attrition": ("modeldata", "attrition", {"label": "Attrition"}),
    "credit": ("modeldata", "credit_data", {"label": "Status", "positive": "bad"}),
    "lending": ("modeldata", "lending_club", {"label": "Class", "positive": "bad"}),
    "mortgage": ("AER", "HMDA", {"label": "deny"}),
    "card": ("AER", "CreditCard", {"label": "card"}),
    "smoking": ("AER", "SmokeBan", {"label": "smoker"}),
    "caravan": ("ISLR", "Caravan", {"label": "Purchase"}),
    "default": ("ISLR", "Default", {"label": "default"}),
    "juice": ("ISLR", "OJ", {"label": "Purchase", "positive": "MM"}),
    "spam": ("DAAG", "spam7", {"label": "yesno", "shuffle": True}),
    "titanic": ("carData", "TitanicSurvival", {"label": "survived"}),
    "vote": ("carData", "Chile", {"label": "vote", "positive": "N"}),
}


def measure() -> dict:
    """Evaluate every table."""
    found: dict = {"goals": []}
    for name, (folder, table, said) in TABLES.items():
        asked = Asked(key="rownames", **said)
        result = churn.report(
            Table(data.table(folder, table)), asked, 0.5, lambda *_: None, batch=RETRAINED
        )
        for part in ("calibration", "lift", "windows"):
            del result[part]
        found[name] = result
        ours, batch = result["tested"]["champion"], result["tested"]["batch_lr"]
        found["goals"].append(
            at_least(f"unseen {name}: AUC", ours["auc"], batch["auc"] - RANKS, _doubt(ours)).told()
        )
        if ours["rows"] >= FEW:
            found["goals"].append(at_most(f"unseen {name}: ECE", ours["ece"], 0.03).told())
    return found


def _doubt(figures: dict) -> str:
    """Return how uncertain an AUC is (Hanley & McNeil 1982, for one of 0.8, about)."""
    rate = min(figures["base_rate"], 1.0 - figures["base_rate"])
    fewest = max(1.0, figures["rows"] * rate)
    return f"{figures['rows']:,} tested rows: the AUC is uncertain by ±{0.4 / fewest**0.5:.3f}"
