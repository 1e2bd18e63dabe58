"""Load: when requests are sent, what they are, and what came of it.

What a user script imports stands here; see docs/user-scripts.md.
"""

from withstand.load.script.client import AsyncClient, Client
from withstand.load.script.feed import Feed, FeedExhausted, feed
from withstand.load.script.response import RequestFailed, Response, ResponseUnexpected
from withstand.load.script.script import after_run, before_run, user

__all__ = [
    "AsyncClient",
    "Client",
    "Feed",
    "FeedExhausted",
    "RequestFailed",
    "Response",
    "ResponseUnexpected",
    "after_run",
    "before_run",
    "feed",
    "user",
]
