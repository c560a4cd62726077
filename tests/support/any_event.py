"""Any event that its model accepts, of any kind, every field of it tried: drawn from the models."""

from datetime import timedelta
from decimal import Decimal
from itertools import chain
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, JsonValue, ValidationError
from pydantic.fields import FieldInfo

from models.money import SignedMoney
from tests.support.histories import NOON, scalars

times = st.builds(
    lambda hours, micros: NOON + timedelta(hours=hours, microseconds=micros),
    st.integers(0, 2_000),
    st.sampled_from([0, 1, 123_000, 999_999]),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
amounts = st.sampled_from(["0", "0.10", "59.00", "1E+2", "123456789012.5", "7"]).map(Decimal)


def events(model: type[BaseModel]):
    """Events of one class; what its own validators refuse is not drawn."""

    def accepted(drawn):
        try:
            return model.model_validate(drawn)
        except ValidationError:
            return None

    return _given(model).map(accepted).filter(lambda event: event is not None)


def _given(model):
    if issubclass(model, SignedMoney):
        return st.fixed_dictionaries({"amount": amounts, "currency": st.just("USD")})
    must = {name: _field(info) for name, info in model.model_fields.items() if info.is_required()}
    may = {name: _field(info) for name, info in model.model_fields.items() if name not in must}
    return st.fixed_dictionaries(must, optional=may)


def _field(info: FieldInfo):
    return _values(info.annotation, info.metadata)


def _values(kind, metadata=()):
    origin, within = get_origin(kind), get_args(kind)
    if origin is Annotated:
        more = (one.metadata if isinstance(one, FieldInfo) else [one] for one in within[1:])
        return _values(within[0], [*chain.from_iterable(more), *metadata])
    if origin in (Union, UnionType):
        return st.one_of([_values(one, metadata) for one in within])
    if origin is Literal:
        return st.sampled_from(within)
    if origin is tuple:
        return st.lists(_values(within[0]), min_size=_bound(metadata, "min_length", 0), max_size=3)
    if origin is dict:
        return st.dictionaries(_values(within[0]), _values(within[1]), max_size=3)
    return _single(kind, metadata)


def _single(kind, metadata):
    if kind is JsonValue:
        return anything
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _given(kind)
    if kind in (int, float):
        low, high = _bound(metadata, "ge", -(2**53)), _bound(metadata, "le", 2**53)
        return st.integers(low, high) | (st.floats(low, high) if kind is float else st.nothing())
    simple = {NoneType: st.none(), bool: st.booleans(), str: texts, AwareDatetime: times}
    return simple[kind] if kind in simple else st.sampled_from(list(kind))


def _bound(metadata, name, otherwise):
    found = [getattr(one, name) for one in metadata if hasattr(one, name)]
    return found[-1] if found else otherwise


def as_sent(event: BaseModel) -> dict:
    """An event as its sender would have written it, times and amounts as JSON has them."""
    said = event.model_dump(mode="json", exclude_unset=True)
    said |= {"type": event.type}
    for name in ("received_at", "source", "observed_until", "customer_id", "origin"):
        said.pop(name, None)
    said.pop("origin_offset", None)
    said.pop("generation", None)
    return said
