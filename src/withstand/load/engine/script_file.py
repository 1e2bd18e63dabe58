"""Loads a user script from its file, with the data feeds that stand beside it."""

import ast
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Final

from withstand.errors import UsageError, WithstandError
from withstand.load.script.feed import Feed, parsed_rows
from withstand.load.script.script import Script, script_of

_MODULE: Final = "withstand_user_script"


def load_script(file: Path) -> Script:
    """The script of a file; what it imports from its own folder is found.

    The file is run anew at each call, as every process of a run does. Raises UsageError with the
    line of the script where something is wrong.
    """
    tree, source = _parsed(file)
    if _imports_locust(tree):
        raise UsageError(
            f"{file} is a locustfile, whose users only Locust can run",
            hint="leave --engine out, or declare its users with @user, see docs/user-scripts.md",
        )
    script = script_of(vars(_executed(file.resolve(), source)), str(file))
    for feed in script.feeds:
        feed.rows = parsed_rows(_text(file, feed), feed.file)
    return script


def is_locustfile(file: Path) -> bool:
    """Whether a file is Python that imports Locust."""
    try:
        return _imports_locust(ast.parse(file.read_bytes(), filename=str(file)))
    except (OSError, SyntaxError, ValueError):
        return False


def _parsed(file: Path) -> tuple[ast.Module, str]:
    try:
        source = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the user script {file} cannot be read: {error.strerror}",
            hint="give the path of a Python file with users in it",
        ) from None
    except UnicodeDecodeError:
        raise UsageError(
            f"the user script {file} is no UTF-8 text", hint="save it as UTF-8, as Python expects"
        ) from None
    try:
        return ast.parse(source, filename=str(file)), source
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        said = error.msg if isinstance(error, SyntaxError) else error
        raise UsageError(
            f"{file}{line} is no Python: {said}", hint="correct the script; nothing was sent"
        ) from None


def _imports_locust(tree: ast.Module) -> bool:
    modules = [
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    ]
    return any(name.partition(".")[0] == "locust" for name in modules)


def _executed(file: Path, source: str) -> ModuleType:
    folder = str(file.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    module = ModuleType(_MODULE)
    module.__file__ = str(file)
    sys.modules[_MODULE] = module  # dataclasses and pickle look their module up
    try:
        exec(compile(source, str(file), "exec"), vars(module))  # noqa: S102 - what the user asked for
    except (Exception, SystemExit) as error:
        raise _failed(file, error) from error
    return module


def _failed(file: Path, error: BaseException) -> UsageError:
    steps = traceback.extract_tb(error.__traceback__)
    folder = str(file.parent)
    own = [step for step in steps if step.filename.startswith(folder)]
    where = f"{Path(own[-1].filename).name}, line {own[-1].lineno}" if own else file.name
    if isinstance(error, WithstandError):
        return UsageError(f"{where}: {error.message}", hint=error.hint)
    hint = (
        "install it in the environment that withstand runs in, or put it beside the script"
        if isinstance(error, ModuleNotFoundError)
        else "correct the script; nothing was sent"
    )
    said = f": {error}" if str(error) else ""
    return UsageError(
        f"{where}: the user script cannot be loaded: {type(error).__name__}{said}", hint=hint
    )


def _text(script: Path, feed: Feed) -> str:
    file = script.parent / feed.file
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the feed {file} of {script} cannot be read: {error.strerror}",
            hint="put the file beside the script, or give its whole path",
        ) from None
    except UnicodeDecodeError:
        raise UsageError(
            f"the feed {file} of {script} is no UTF-8 text", hint="save it as UTF-8"
        ) from None
