"""The lean form of a model: a msgspec struct of the same fields, for what is read by the million.

A model is the one definition: its struct takes its names, types, bounds, defaults,
properties and validators from it, so a struct holds only what its model would accept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from functools import cache, reduce
from operator import or_
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Meta, Struct, defstruct
from msgspec.structs import replace
from pydantic import AllowInfNan, AwareDatetime, BaseModel, BeforeValidator, JsonValue, TypeAdapter
from pydantic.fields import FieldInfo

from models.plain import MAX_INTEGER, plain

Check = Callable[[Any], object]  # of a struct; it raises ValueError
Field = tuple[str, Any, Any]  # name, type, default, as `defstruct` takes it

TIME: Final = Annotated[datetime, Meta(tz=True)]
_BOUNDS: Final = ("min_length", "max_length", "ge", "le")
_WHOLE: Final = {"ge": -MAX_INTEGER, "le": MAX_INTEGER}


class Lean(Struct, frozen=True, gc=False):
    """What all lean forms are: they hold no cycles, so nobody looks for any among them."""

    def model_copy(self, *, update: dict[str, Any]) -> Any:
        """Return a copy with other values, as a model's own method does."""
        return replace(self, **update)


def fields_of(model: type[BaseModel]) -> dict[str, Field]:
    """Return a model's fields as a struct's, by name."""
    return {
        name: (name, type_of(info.annotation, info.metadata), _default(info))
        for name, info in model.model_fields.items()
    }


def in_order(fields: Iterable[Field]) -> list[Field]:
    """Return the fields with those first that must be given: so a struct can be made by place."""
    return sorted(fields, key=lambda field: field[2] is not NODEFAULT)


def namespace_of(model: type[BaseModel], *more: Check) -> dict[str, Any]:
    """Return what a struct needs beside its fields to stand in for its model.

    It checks itself as the model does, and before that by the checks given.
    """
    said: dict[str, Any] = {"__doc__": model.__doc__, "__module__": __name__}
    for base in reversed(model.__mro__[: model.__mro__.index(BaseModel)]):
        own = {"__str__": base.__dict__.get("__str__")}
        own |= {name: one for name, one in vars(base).items() if isinstance(one, property)}
        said |= {name: one for name, one in own.items() if one is not None}
    checks = (*more, *_checks(model))
    if checks:

        def check(self: Struct) -> None:
            for one in checks:
                one(self)

        said["__post_init__"] = check
    return said


@cache
def part_of(model: type[BaseModel]) -> type[Struct]:
    """Return the lean form of a part of an event."""
    return defstruct(
        model.__name__,
        in_order(fields_of(model).values()),
        bases=(Lean,),
        namespace=namespace_of(model),
        omit_defaults=True,
        forbid_unknown_fields=True,
    )


def type_of(annotation: Any, metadata: Iterable[Any] = ()) -> Any:
    """Return a field's type as msgspec says it. Raises TypeError on one that it cannot say."""
    origin, within = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_of(within[0], (*within[1:], *metadata))
    if annotation is AwareDatetime:
        return TIME
    if annotation is Decimal:
        return Decimal  # `_checks` holds it to its bounds
    if origin in (Union, UnionType):
        return reduce(or_, (one if one is NoneType else type_of(one, metadata) for one in within))
    limits = _limits(metadata)
    kind: Any
    if origin is tuple:
        kind = tuple[type_of(within[0]), ...]  # type: ignore[misc]
    elif origin is dict:
        kind = dict[type_of(within[0]), type_of(within[1])]  # type: ignore[misc]
    elif annotation is int:
        kind, limits = int, _WHOLE | limits
    else:
        kind = _single(annotation)
    return Annotated[kind, Meta(**limits)] if limits else kind


def _single(kind: Any) -> Any:
    if kind is JsonValue:
        return Any  # bounded where it comes in
    if get_origin(kind) is Literal:
        return kind
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return part_of(kind)
    if isinstance(kind, type) and issubclass(kind, str | float | bool | bytes | NoneType):
        return kind
    raise TypeError(f"no lean form of {kind}")


def _limits(metadata: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in metadata:
        said = {name: getattr(one, name) for name in _BOUNDS if hasattr(one, name)}
        if isinstance(one, FieldInfo):
            said = _limits(one.metadata)
        elif not said and not _needless(one):
            raise TypeError(f"no lean form of {one}")
        found |= said
    return found


def _needless(one: object) -> bool:
    """Tell whether JSON has none of what it refuses, or whoever reads from outside sees to it."""
    return isinstance(one, AllowInfNan) or (isinstance(one, BeforeValidator) and one.func is plain)


def _default(info: FieldInfo) -> Any:
    if info.is_required():
        return NODEFAULT
    if info.default_factory is not None:
        return msgspec.field(default_factory=cast(Callable[[], Any], info.default_factory))
    default = info.default
    return _blank(type(default)) if isinstance(default, BaseModel) else default


@cache
def _blank(model: type[BaseModel]) -> Struct:
    """Return the one part that says nothing: what is left out is told by being this very one."""
    return part_of(model)()


def _checks(model: type[BaseModel]) -> Iterator[Check]:
    """Yield what msgspec cannot say of a model: bounds of decimals, and its own validators."""
    for name, info in model.model_fields.items():
        if info.annotation is Decimal:
            yield _decimal(name, TypeAdapter(Annotated[Decimal, info]))
    said = model.__pydantic_decorators__
    others = (said.validators, said.field_validators, said.root_validators)
    modes = {validator.info.mode for validator in said.model_validators.values()}
    if any(others) or modes - {"after"}:
        raise TypeError(f"no lean form of a validator of {model}")
    for validator in said.model_validators.values():
        yield validator.func


def _decimal(name: str, adapter: TypeAdapter[Decimal]) -> Check:
    validate = adapter.validator.validate_python
    return lambda made: validate(getattr(made, name))
