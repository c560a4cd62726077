"""Messages that we sent, and what customers did with them.

`channel` is the message's own: e-mail, SMS, push, chat.
"""

from __future__ import annotations

from typing import Literal

from models.events.base import Channel, Contact, Id, Label, Url


class _Message(Contact):
    channel: Channel = Channel.EMAIL
    message_id: Id | None = None
    campaign: Label | None = None
    template: Label | None = None
    subject: Label | None = None
    decision_id: Id | None = None


class MessageSent(_Message):
    """A message went out."""

    type: Literal["message_sent"] = "message_sent"
    schema_version: Literal[1] = 1


class MessageOpened(_Message):
    """A message was opened."""

    type: Literal["message_opened"] = "message_opened"
    schema_version: Literal[1] = 1


class MessageClicked(_Message):
    """A link in a message was followed."""

    type: Literal["message_clicked"] = "message_clicked"
    schema_version: Literal[1] = 1
    url: Url | None = None
