"""The secrets of this machine: made up once, kept where only their owner may read.

A secret that a setting gives is used and never written down. Whoever runs a part
alone gives it the secrets as settings; only what starts parts reads this file.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from infra.errors import UserError
from infra.local import folders
from infra.settings import PREFIX, Settings

FILE = "secrets.json"
Scope = Literal["ingest", "read", "admin"]
# The setting that holds the keys of a scope, and how such a key begins.
SCOPES: dict[str, tuple[str, str]] = {
    "ingest": ("write_keys", "wk_"),
    "read": ("api_keys", "rk_"),
    "admin": ("admin_keys", "ak_"),
}
FIRST_KEY = "default"
_KEY_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def resolve(settings: Settings) -> Settings:
    """Return the settings with every empty secret filled in. Raises UserError."""
    with _kept(settings.home) as kept:
        found = _fill(kept)
    given = {name: value for name, value in found.items() if not _is_set(settings, name)}
    return settings.model_copy(
        update={name: SecretStr(value) for name, value in given.items()}
        | {"home": settings.home.absolute()}
    )


def first_key(keys: SecretStr) -> str:
    """Return the first key of a `name=key,…` setting, without its name; "" when there is none."""
    return keys.get_secret_value().split(",")[0].partition("=")[2]


def create_key(settings: Settings, scope: Scope, name: str = "") -> tuple[str, str]:
    """Make up a key for `scope` and keep it under `name`; return both.

    Without a name, one is made up too.

    Raises UserError: the name is taken or malformed, or the keys are set from outside.
    """
    setting, begin = SCOPES[scope]
    if _is_set(settings, setting):
        variable = PREFIX + setting.upper()
        raise UserError(f"the keys come from {variable}", f"add name=key to {variable} instead")
    if name and not _KEY_NAME.fullmatch(name):
        raise UserError(f"{name!r} is no name for a key", "use letters, digits, dot, dash")
    with _kept(settings.home) as kept:
        _fill(kept)
        name = name or f"{scope}-{len(kept[setting])}"
        if name in kept[setting]:
            raise UserError(f"there is a key named {name!r} already", "choose another name")
        kept[setting][name] = begin + secrets.token_urlsafe(24)
        return name, str(kept[setting][name])


def _fill(kept: dict[str, Any]) -> dict[str, str]:
    """Make up what is missing in `kept`; return all of it as settings have it."""
    for setting, begin in SCOPES.values():
        kept.setdefault(setting, {FIRST_KEY: begin + secrets.token_urlsafe(24)})
    for setting in ("clickhouse_password", "analyst_password", "snapshot_secret"):
        kept.setdefault(setting, secrets.token_urlsafe(24))
    # As Standard Webhooks has them: the prefix, then base64.
    kept.setdefault("webhook_secret", "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())
    return {
        name: ",".join(f"{key}={value}" for key, value in kept[name].items())
        if isinstance(kept[name], dict)
        else str(kept[name])
        for name in kept
        if name in Settings.model_fields
    }


def _is_set(settings: Settings, name: str) -> bool:
    value = getattr(settings, name)
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


@contextmanager
def _kept(home: Path) -> Iterator[dict[str, Any]]:
    """Hold the file locked; what is changed in it is written when the block ends well."""
    file = folders.prepare(home, private=True) / FILE
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = _read(file)
        kept = json.loads(json.dumps(before))
        yield kept
        if kept != before:
            _write(file, kept)


def _read(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise UserError(f"others may read {file}", f"chmod 600 {file}")
    try:
        kept = json.loads(file.read_text())
    except ValueError as error:
        raise UserError(
            f"{file} is damaged: {error}", "restore it; or delete it, and new secrets are made up"
        ) from error
    return dict(kept)


def _write(file: Path, kept: dict[str, Any]) -> None:
    # Beside it first: a crash leaves the old secrets or the new ones, never half of them.
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as output:
        json.dump(kept, output, indent=2)
        output.flush()
        os.fsync(output.fileno())
    fresh.rename(file)
