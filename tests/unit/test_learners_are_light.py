"""Whoever learns loads River, and nothing of what lies beside it."""

import subprocess
import sys

LOADED = """
import sys
from models.online.learner import CHURN, resume
resume(CHURN)
print(*{"river", "pandas", "sklearn"} & set(sys.modules))
"""


def test_a_learner_starts_without_pandas_and_scikit_learn():
    found = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == ["river"]
