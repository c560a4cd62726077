"""The profile API's description, as the code answers it: docs/openapi.json is made of it."""

from __future__ import annotations

from typing import Any

from infra.settings import Settings
from projections.serve.app import build
from projections.serve.sources import Sources


def describe() -> dict[str, Any]:
    """Return the OpenAPI document."""
    settings = Settings.model_validate({"api_keys": "nobody=not-a-key-of-any-server"})
    return build(settings, Sources(settings), follow=False).openapi()
