"""What a person can mend: said in a sentence, with what to do next.

Whoever raises one has looked for the cause. The command line prints it without a
traceback; everything else is a fault of the program and keeps its traceback.
"""

from __future__ import annotations


class UserError(Exception):
    """Something is wrong on the user's side. `what` happened, and the `remedy`."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}\n{self.remedy}" if self.remedy else self.what
