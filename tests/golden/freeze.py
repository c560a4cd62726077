"""Freeze each kind of event as the log holds it today: `python -m tests.golden.freeze`.

It writes what is missing and never what is there: a file that is there is what some log holds.
"""

from decimal import Decimal
from itertools import chain
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, JsonValue
from pydantic.fields import FieldInfo

from models.events import encode_event, lean
from models.events.codec import LEAN
from models.upcasters import UPCASTERS
from tests.support.histories import NOON

FOLDER = Path(__file__).parent / "log"
PLAIN = {
    bool: True,
    float: 0.5,
    AwareDatetime: NOON,
    Decimal: Decimal("59.00"),
    JsonValue: ["anything", 1, None],
}


def newest_version(kind: str) -> int:
    """Return the version that events of a kind are written in."""
    return len(UPCASTERS.get(kind, ())) + 1


def kinds() -> dict[str, type[BaseModel]]:
    """Return every kind of event by its type."""
    return {model.model_fields["type"].default: model for model in LEAN}


def samples(model: type[BaseModel]) -> list[bytes]:
    """Return an event of one class that says as little as it may, and one that says all."""
    return [encode_event(lean(model.model_validate(_said(model, all_of_it=a)))) for a in (0, 1)]


def _said(model: type[BaseModel], all_of_it: bool = True) -> dict[str, Any]:
    return {
        name: _value(name, info.annotation, info.metadata)
        for name, info in model.model_fields.items()
        if info.is_required() or (all_of_it and name not in ("type", "schema_version"))
    }


def _value(name: str, kind: Any, metadata: Any = ()) -> Any:
    origin, within = get_origin(kind), get_args(kind)
    if origin is Annotated:
        more = (one.metadata if isinstance(one, FieldInfo) else [one] for one in within[1:])
        return _value(name, within[0], [*chain.from_iterable(more), *metadata])
    if origin in (Union, UnionType):
        return _value(name, next(one for one in within if one is not NoneType), metadata)
    if origin is Literal:
        return "USD" if "USD" in within else within[0]
    if origin is tuple:
        return [_value(name, within[0])]
    if origin is dict:
        return {f"{name}_1": _value(name, within[1])}
    return _single(name, kind, metadata)


def _single(name: str, kind: Any, metadata: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _said(kind)
    if kind is int:
        return max([2, *(one.ge for one in metadata if getattr(one, "ge", None) is not None)])
    if kind is str:
        return name
    return PLAIN[kind] if kind in PLAIN else next(iter(kind))


def main() -> None:
    """Write the files that are missing."""
    FOLDER.mkdir(exist_ok=True)
    for kind, model in kinds().items():
        file = FOLDER / f"{kind}_v{newest_version(kind)}.jsonl"
        if not file.exists():
            file.write_bytes(b"".join(one + b"\n" for one in samples(model)))
            print("froze", file.name)


if __name__ == "__main__":
    main()
