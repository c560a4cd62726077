"""`python -m infra.compiled`: compile the core's hot modules, unless they are as they should be."""

from __future__ import annotations

import sys

from infra.compiled import build
from infra.errors import UserError


def main() -> None:
    """Compile, and say what came of it; that nothing could be compiled is no failure."""
    if build.is_current():
        return
    sys.stdout.write("compiling the core, once for each change of it (about a minute)\n")
    sys.stdout.flush()
    try:
        build.build()
    except UserError as error:
        sys.stdout.write(f"{error}\n")


if __name__ == "__main__":
    main()
