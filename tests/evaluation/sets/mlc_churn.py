"""mlc_churn: 5,000 subscribers of a telephone company, 20 columns, no dates: the rows' own order.

Each label is known right after its row. Tested: the second half.
"""

from infra.evaluation import churn
from infra.evaluation.roles import Asked
from infra.evaluation.table import Table
from tests.evaluation import data
from tests.evaluation.measure import against, at_least

NAME = "mlc_churn"
BATCH = ("batch_lr", "batch_gb")
STRETCH = 0.86
_WHY = (
    "batch trees see each example in every tree and are grown anew; on a stream a tree is grown "
    "once in so many examples, and a young ensemble is not yet sure enough"
)


def measure() -> dict:
    """Evaluate the file as anybody would."""
    path = data.table("modeldata", "mlc_churn")
    result = churn.report(Table(path), Asked(key="rownames"), 0.5, _silent, batch=churn.RETRAINED)
    result["goals"] = [
        *against(NAME, result, BATCH, _WHY),
        *against("mlc_churn beside batch logistic regression", result, ("batch_lr",)),
        at_least("mlc_churn: AUC stretch", result["tested"]["champion"]["auc"], STRETCH).told(),
    ]
    return result


def _silent(*_: object) -> None:
    pass
