"""Orders and what becomes of them. One order, one currency."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from models.events.base import Contact, Count, Id, Instant, Label, Part, Text, Url
from models.money import Money, SignedMoney

Quantity = Annotated[int, Field(ge=1, le=1_000_000)]


class Line(Part):
    """One product of an order; price and cost are of one unit."""

    sku: Id
    name: Label | None = None
    category: Label | None = None
    brand: Label | None = None
    variant: Label | None = None
    quantity: Quantity = 1
    price: Money | None = None
    cost: Money | None = None
    discount: Money | None = None  # on the whole line
    url: Url | None = None


class OrderPlaced(Contact):
    """The customer bought something. `total` is what was paid, all included."""

    type: Literal["order_placed"] = "order_placed"
    schema_version: Literal[2] = 2
    order_id: Id
    total: Money
    lines: tuple[Line, ...] = Field((), max_length=500)
    discount: Money | None = None
    shipping: Money | None = None
    tax: Money | None = None
    margin: SignedMoney | None = None
    coupon: Label | None = None
    payment: Label | None = None
    place: Label | None = None

    @model_validator(mode="after")
    def _one_currency(self) -> Self:
        currency = self.total.currency
        amounts = [self.discount, self.shipping, self.tax, self.margin]
        for line in self.lines:
            amounts += (line.price, line.cost, line.discount)
        if any(amount is not None and amount.currency != currency for amount in amounts):
            raise PydanticCustomError("mixed_currencies", "one order has one currency")
        return self

    @property
    def units(self) -> int:
        """How many units were bought."""
        return sum(line.quantity for line in self.lines)

    @property
    def margin_minor(self) -> int | None:
        """What we keep, in minor units: as stated, else total less every line's cost."""
        if self.margin is not None:
            return self.margin.minor
        if not self.lines:
            return None
        cost = 0
        for line in self.lines:
            if line.cost is None:
                return None
            cost += line.cost.minor * line.quantity
        kept = self.total.minor - cost
        return kept - sum(part.minor for part in (self.tax, self.shipping) if part is not None)


class ReturnedLine(Part):
    """Units of one product that came back."""

    sku: Id
    quantity: Quantity = 1


class OrderReturned(Contact):
    """Goods came back."""

    type: Literal["order_returned"] = "order_returned"
    schema_version: Literal[1] = 1
    order_id: Id
    return_id: Id | None = None
    lines: tuple[ReturnedLine, ...] = Field((), max_length=500)
    amount: Money | None = None  # what the goods were worth
    cause: Label | None = None
    notes: Text | None = None


class OrderRefunded(Contact):
    """Money went back to the customer."""

    type: Literal["order_refunded"] = "order_refunded"
    schema_version: Literal[1] = 1
    order_id: Id
    refund_id: Id | None = None
    amount: Money
    cause: Label | None = None


class OrderDelivered(Contact):
    """An order reached the customer."""

    type: Literal["order_delivered"] = "order_delivered"
    schema_version: Literal[1] = 1
    order_id: Id
    carrier: Label | None = None
    promised_at: Instant | None = None
    parcels: Count | None = None
