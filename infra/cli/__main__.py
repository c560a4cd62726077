"""`python -m infra.cli`: the `c360` command where no script is installed."""

from infra.cli import main

main()
