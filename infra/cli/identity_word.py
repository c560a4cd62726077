"""A person's word on who is one customer: given to ingest, and what becomes of it."""

from __future__ import annotations

import getpass
import json
import time
import uuid
from typing import Any

import httpx
import typer

from infra.cli.api import Api, Json
from infra.cli.terminal import Terminal
from infra.errors import UserError
from infra.secrets import first_key
from infra.settings import Settings


def said(by: str, reason: str) -> dict[str, str]:
    """Return who says it, and why."""
    return {"by": by or getpass.getuser(), "reason": reason}


def give(
    settings: Settings, api: Api, kind: str, body: dict[str, str], wait: float, as_json: bool
) -> None:
    """Give a command, wait for what becomes of it, and say so; exit 1 when it was refused."""
    asked = _posted(settings, kind, body)
    with Terminal(stderr=True).status("waiting for the resolver") as status:
        outcome = api.get(asked["outcome"])
        end = time.monotonic() + wait
        while outcome["status"] in ("waiting", "refolding") and time.monotonic() < end:
            if outcome["status"] == "refolding":
                status.update("reading the log again for both sides")
            time.sleep(0.2)
            outcome = api.get(asked["outcome"])
    if as_json:
        typer.echo(json.dumps(asked | outcome, ensure_ascii=False))
    else:
        _tell(kind, asked, outcome)
    if outcome["status"] == "refused":
        raise typer.Exit(1)


def _posted(settings: Settings, kind: str, body: dict[str, str]) -> Json:
    base = f"http://{settings.host}:{settings.ingest_port}"
    headers = {
        "Authorization": f"Bearer {first_key(settings.admin_keys)}",
        "Idempotency-Key": uuid.uuid4().hex,
    }
    try:
        answer = httpx.post(f"{base}/v1/identity/{kind}", json=body, headers=headers, timeout=20)
    except httpx.HTTPError as error:
        raise UserError(
            f"ingest does not answer at {base}: {error}", "start it: c360 up"
        ) from error
    told: dict[str, Any] = answer.json()
    if not answer.is_success:
        raise UserError(
            f"ingest answered {answer.status_code}: {told['detail']}",
            "c360 keys shows this machine's key; C360_ADMIN_KEYS sets another",
        )
    return told


def _tell(kind: str, asked: Json, outcome: Json) -> None:
    roots = dict.fromkeys(one["customer_id"] for one in outcome["customers"])
    told = " and ".join(one or "nobody" for one in roots)
    match outcome["status"]:
        case "done":
            word = "one customer" if kind == "merge" else "a customer of its own"
            typer.secho(f"done: {word} now: {told}", fg="green")
        case "refused":
            typer.secho(f"refused: {outcome['detail']}", fg="red", err=True)
        case status:
            typer.secho(f"{status}: {asked['receipt']}; ask again: {asked['outcome']}", fg="yellow")
