"""What a person writes as TOML, read into its model: each mistake is named with its place."""

from __future__ import annotations

import tomllib
from typing import TypeVar

from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)


def read(model: type[Model], text: str, failure: type[ValueError], whole: str) -> Model:
    """Read TOML into `model`. Raises `failure` naming each fault; `whole`: what it is called."""
    try:
        return model.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise failure(f"not TOML: {error}") from None
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc']) or whole}: {fault['msg']}"
            for fault in error.errors(include_url=False)
        ]
        raise failure("\n".join(faults)) from None
