"""`c360 migrate`: bring the ClickHouse database up to date."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import Error

from infra.cli.context import settings_and_secrets
from infra.errors import UserError
from infra.settings import PREFIX
from projections.migrate import MigrationFailedError, migrate, pending


def command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what is missing only")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Create the database when missing, and apply the migrations it has not had yet."""
    chosen = settings_and_secrets()
    try:
        names = pending(chosen) if dry_run else migrate(chosen)
    except MigrationFailedError as error:
        raise UserError(str(error), "nothing after the failed file was applied") from error
    except Error as error:
        raise UserError(
            f"ClickHouse does not answer at {chosen.clickhouse_url}, or refuses: "
            f"{str(error).split('Stack trace', 1)[0][:300]}",
            f"`c360 up clickhouse` starts the embedded one; {PREFIX}CLICKHOUSE names another",
        ) from error
    if as_json:
        typer.echo(json.dumps({"pending" if dry_run else "applied": names}))
        return
    for name in names:
        typer.echo(f"{'missing' if dry_run else 'applied'}  {name}")
    if not names:
        typer.echo(f"{chosen.clickhouse_database} is up to date")
