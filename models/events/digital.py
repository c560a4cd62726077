"""What customers do in our apps and on our pages."""

from __future__ import annotations

from typing import Literal

from models.events.base import Channel, Contact, Count, Id, Label, Name, Seconds, Url


class AppUsed(Contact):
    """The app was opened, or a feature of it was used."""

    type: Literal["app_used"] = "app_used"
    schema_version: Literal[1] = 1
    channel: Channel = Channel.APP
    action: Name = "opened"  # "opened", "installed", "updated", "crashed", a feature
    app: Label | None = None
    version: Label | None = None
    duration_seconds: Seconds | None = None


class PageViewed(Contact):
    """A page was looked at."""

    type: Literal["page_viewed"] = "page_viewed"
    schema_version: Literal[2] = 2
    channel: Channel = Channel.WEB
    path: Url
    url: Url | None = None
    title: Label | None = None
    referrer: Url | None = None
    name: Label | None = None
    category: Label | None = None
    duration_seconds: Seconds | None = None


class ScreenViewed(Contact):
    """A screen of the app was looked at."""

    type: Literal["screen_viewed"] = "screen_viewed"
    schema_version: Literal[1] = 1
    channel: Channel = Channel.APP
    name: Name
    category: Label | None = None
    duration_seconds: Seconds | None = None


class SearchPerformed(Contact):
    """The customer searched; `results` tells how much was found."""

    type: Literal["search_performed"] = "search_performed"
    schema_version: Literal[1] = 1
    channel: Channel = Channel.WEB
    query: Label
    results: Count | None = None
    category: Label | None = None


class ContentViewed(Contact):
    """A product, an article, a film was looked at."""

    type: Literal["content_viewed"] = "content_viewed"
    schema_version: Literal[1] = 1
    channel: Channel = Channel.WEB
    content_id: Id
    kind: Literal["product", "article", "video", "audio", "list", "other"] = "product"
    title: Label | None = None
    category: Label | None = None
    brand: Label | None = None
    duration_seconds: Seconds | None = None
    completed: bool | None = None  # seen to its end


class Custom(Contact):
    """Anything else, by name, told in `properties`."""

    type: Literal["custom"] = "custom"
    schema_version: Literal[1] = 1
    name: Name
