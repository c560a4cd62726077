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
        why = _doubt(ours["rows"], result["paired"]["batch_lr"]["auc"])
        found["goals"].append(
            at_least(f"unseen {name}: AUC", ours["auc"], batch["auc"] - RANKS, why).told()
        )
        if ours["rows"] >= FEW:
            found["goals"].append(at_most(f"unseen {name}: ECE", ours["ece"], 0.03).told())
    return found


def _doubt(rows: int, less: dict) -> str:
    """Return how far the two are apart, and how sure that is."""
    value, low, high = less["value"], less["low"], less["high"]
    return f"{rows:,} tested rows: {value:+.4f}, 95 %: {low:+.4f} to {high:+.4f}"
