"""What every command begins with: the settings, and the running `c360 up`, if any."""

from __future__ import annotations

import os

from infra import secrets
from infra.settings import Settings


def settings() -> Settings:
    """Return the settings of the environment. Raises SettingsError."""
    return Settings.from_env(os.environ)


def settings_and_secrets() -> Settings:
    """Return the settings with this machine's secrets. Raises SettingsError, UserError."""
    return secrets.resolve(settings())
