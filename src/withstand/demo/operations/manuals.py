"""Manuals: text files from one folder."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import PlainTextResponse

from withstand.demo.access import TheShop
from withstand.demo.problems import documented, not_found
from withstand.demo.schemas import NO_CONTROL_CHARACTERS

router = APIRouter(tags=["products"])

FOLDER = Path(__file__).resolve().parent.parent / "manuals"

_Name = Annotated[
    str,
    Query(
        min_length=1,
        max_length=200,
        pattern=NO_CONTROL_CHARACTERS,
        description="`teapot.txt`, `kettle.txt` or `toaster.txt`.",
        examples=["teapot.txt"],
    ),
]


@router.get(
    "/manuals",
    summary="Read a manual",
    response_class=PlainTextResponse,
    responses={200: {"description": "The manual."}, **documented(404, 422)},
)
async def read_manual(name: _Name, shop: TheShop) -> PlainTextResponse:
    try:
        path = (FOLDER / name).resolve()
        inside = path.parent == FOLDER and path.suffix == ".txt"
        if not inside and not shop.planted.has("path-traversal"):
            raise not_found()
        if not path.is_file():
            raise not_found()
        return PlainTextResponse(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:  # a name longer than the file system allows, a file we may not read
        raise not_found() from None
