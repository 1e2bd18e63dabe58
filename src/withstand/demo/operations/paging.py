"""The query parameters of every list."""

from typing import Annotated

from fastapi import Query

Limit = Annotated[
    int, Query(ge=1, le=100, description="How many to answer at most.", examples=[20])
]
Offset = Annotated[int, Query(ge=0, le=10_000, description="How many to leave out.", examples=[0])]
