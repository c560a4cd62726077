"""Rows and columns as ClickHouse's Native format has them.

Its client writes the same, but what is nullable, in maps and in arrays value by value in Python.
A value of another type than its column's is refused, never made to fit.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any, Final

from librt.strings import BytesWriter, write_f64_le, write_i16_le, write_i32_le, write_i64_le
from mypy_extensions import i16, i32, i64

from models.places import NAMES
from projections.rows.kinds import LABEL, MILLISECONDS, MONEY

_TEXT: Final = "String"
_LONG: Final = ("UInt64", "Int64", MILLISECONDS)
_EXACT: Final = Context(prec=38)
_FINEST: Final = Decimal(10_000)
_NO_MONEY: Final = bytes(16)
_NEW_DICTIONARY: Final = (1 << 9) | (1 << 10)  # keys of its own follow
# Bits, whether it has a sign.
_SHORT: Final = {"UInt8": (8, False), "UInt16": (16, False), "Int16": (16, True)} | {
    "UInt32": (32, False)
}
_FEATURES: Final = "LowCardinality(String), Float64"
_PLACES: Final = {name: place for place, name in enumerate(NAMES)}


def column(kind: str, values: list[Any]) -> bytes:
    """Return the values of a column of that type. Raises TypeError, ValueError, ArithmeticError."""
    out = BytesWriter()
    _column(kind, values, out)
    return out.getvalue()


def block(names: tuple[str, ...], kinds: tuple[str, ...], rows: list[tuple[object, ...]]) -> bytes:
    """Return rows as a block: by column its name, its type and its values.

    Raises as `column` does.
    """
    out = BytesWriter()
    _size(len(names), out)
    _size(len(rows), out)
    for at in range(len(names)):
        _texts([names[at], kinds[at]], out)
        _column(kinds[at], [row[at] for row in rows], out)
    return out.getvalue()


def _column(kind: str, values: list[Any], out: BytesWriter) -> None:
    if LABEL in kind:
        write_i64_le(out, 1)  # the version of how dictionaries are laid out
    _write(kind, values, out)


def _write(kind: str, values: list[Any], out: BytesWriter) -> None:
    if kind == _TEXT:
        _texts(values, out)
    elif kind == LABEL:
        if values:
            _labels(values, out)
    elif kind.startswith("Nullable("):
        _nullable(kind[9:-1], values, out)
    elif kind.startswith("Array("):
        _array(kind[6:-1], values, out)
    elif kind.startswith("Map("):
        _map(kind[4:-1], values, out)
    else:
        _numbers(kind, values, out)


def _numbers(kind: str, values: list[Any], out: BytesWriter) -> None:
    if kind == "Float64":
        for value in values:
            write_f64_le(out, _number(value))
    elif kind in _LONG:
        _longs(values, out, kind == "UInt64")
    elif kind in _SHORT:
        _shorts(kind, values, out)
    elif kind == MONEY:
        for value in values:
            out.write(_money(value))
    else:
        raise ValueError(f"no column of {kind} is written here")


def _texts(values: list[Any], out: BytesWriter) -> None:
    last, text = "", b""
    for value in values:
        if isinstance(value, str):
            if not value:
                out.append(0)
                continue
            if value != last:  # labels and customers come again and again
                last, text = value, value.encode()
        elif isinstance(value, bytes):
            last, text = "", value
        else:
            raise TypeError(f"no text: {value!r}")
        _size(len(text), out)
        out.write(text)


def _size(size: i64, out: BytesWriter) -> None:
    while size > 127:
        out.append(i64(size & 127) | 128)
        size >>= 7
    out.append(size)


def _number(value: Any) -> float:
    if isinstance(value, float):
        return value
    if isinstance(value, int):
        return float(value)
    raise TypeError(f"no number: {value!r}")


def _longs(values: list[Any], out: BytesWriter, unsigned: bool) -> None:
    for value in values:
        if not isinstance(value, int):
            raise TypeError(f"no whole number: {value!r}")
        number: i64 = value
        if unsigned and number < 0:
            raise ValueError(f"below zero: {value}")
        write_i64_le(out, number)


def _shorts(kind: str, values: list[Any], out: BytesWriter) -> None:
    bits, signed = _SHORT[kind]
    end: i64 = 1 << (bits - 1 if signed else bits)
    least: i64 = -end if signed else 0
    half: i64 = 1 << (bits - 1)
    whole: i64 = 1 << bits
    for value in values:
        if not isinstance(value, int):
            raise TypeError(f"no whole number: {value!r}")
        number: i64 = value
        if not least <= number < end:
            raise ValueError(f"does not fit {kind}: {value}")
        if bits == 8:
            out.append(number)
            continue
        if number >= half:
            number -= whole
        if bits == 16:
            write_i16_le(out, i16(number))
        else:
            write_i32_le(out, i32(number))


def _money(value: Any) -> bytes:
    if not isinstance(value, str | Decimal):
        raise TypeError(f"no money: {value!r}")
    units = int(_EXACT.multiply(Decimal(value), _FINEST))
    return units.to_bytes(16, "little", signed=True)


def _nullable(kind: str, values: list[Any], out: BytesWriter) -> None:
    for value in values:
        out.append(1 if value is None else 0)
    if kind == MONEY:
        for value in values:
            out.write(_NO_MONEY if value is None else _money(value))
    else:
        _write(kind, [0 if value is None else value for value in values], out)


def _array(kind: str, values: list[Any], out: BytesWriter) -> None:
    flat: list[Any] = []
    for value in values:
        flat.extend(value)
        write_i64_le(out, i64(len(flat)))
    _write(kind, flat, out)


def _map(kinds: str, values: list[Any], out: BytesWriter) -> None:
    if kinds == _FEATURES:
        _numbers_by_name(values, out)
        return
    key_kind, _, value_kind = kinds.partition(", ")
    keys: list[Any] = []
    flat: list[Any] = []
    for value in values:
        said: dict[str, Any] = value
        for key, one in said.items():
            keys.append(key)
            flat.append(one)
        write_i64_le(out, i64(len(flat)))
    _write(key_kind, keys, out)
    _write(value_kind, flat, out)


def _numbers_by_name(values: list[Any], out: BytesWriter) -> None:
    """Write features, by place where they are a tuple: there a name needs not be looked up."""
    index = _PLACES.copy()
    keys: list[int] = []
    numbers = BytesWriter()
    for value in values:
        if isinstance(value, tuple):
            by_place: tuple[Any, ...] = value
            for place in range(i64(len(by_place))):
                number = by_place[place]
                if isinstance(number, float):  # nothing is said of the others
                    keys.append(int(place))
                    write_f64_le(numbers, number)
        else:
            said: dict[str, Any] = value
            for name, one in said.items():
                at = index.get(name, -1)
                if at < 0:
                    at = len(index)
                    index[name] = at
                keys.append(at)
                write_f64_le(numbers, _number(one))
        write_i64_le(out, i64(len(keys)))
    if keys:
        _dictionary(index, keys, out)
    out.write(numbers.getvalue())


def _labels(values: list[Any], out: BytesWriter) -> None:
    """Write the different values once, then which of them each is."""
    index: dict[str, int] = {}
    keys: list[int] = []
    for value in values:
        at = index.get(value, -1)
        if at < 0:
            at = len(index)
            index[value] = at
        keys.append(at)
    _dictionary(index, keys, out)


def _dictionary(index: dict[str, int], keys: list[int], out: BytesWriter) -> None:
    bits = len(index).bit_length() - 1
    size = 0 if bits < 8 else 1 if bits < 16 else 2
    write_i64_le(out, i64(_NEW_DICTIONARY | size))
    write_i64_le(out, i64(len(index)))
    _texts(list(index), out)
    write_i64_le(out, i64(len(keys)))
    if size == 0:
        for key in keys:
            out.append(key)
    else:
        _shorts(("UInt16", "UInt32")[size - 1], list[Any](keys), out)
