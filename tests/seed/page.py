"""Takes the Python snippets out of the page's text, which has no marks around them."""

import ast
from pathlib import Path

TEXT = Path(__file__).with_name("performance-and-security-testing.txt").read_text(encoding="utf-8")


def python_blocks() -> list[str]:
    """Every stretch of the page that is Python: the longest run of lines that parses.

    The prose around the snippets does not parse. A block that uses a name which an earlier block
    imported gets that one import line.
    """
    lines = TEXT.splitlines()
    blocks: list[str] = []
    imports: dict[str, str] = {}
    start = 0
    while start < len(lines):
        end = _end_of_python(lines, start)
        if end is None:
            start += 1
            continue
        tree = ast.parse("\n".join(lines[start:end]))
        needed = {imports[name] for name in _used(tree) - _bound(tree) if name in imports}
        blocks.append("\n".join([*sorted(needed), *lines[start:end]]) + "\n")
        imports |= _import_lines(tree)
        start = end
    return blocks


def shell_commands() -> list[str]:
    """The command lines of the page that call Locust, with their continuation lines joined."""
    text = TEXT.replace("\\\n", " ")
    return [" ".join(line.split()) for line in text.splitlines() if line.startswith("locust ")]


def _end_of_python(lines: list[str], start: int) -> int | None:
    if not lines[start].strip() or lines[start][0].isspace():
        return None
    for end in range(len(lines), start, -1):
        try:
            tree = ast.parse("\n".join(lines[start:end]))
        except (SyntaxError, ValueError):
            continue
        if tree.body and lines[end - 1].strip():
            return end
    return None


def _used(tree: ast.Module) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _bound(tree: ast.Module) -> set[str]:
    return set(_import_lines(tree)) | {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _import_lines(tree: ast.Module) -> dict[str, str]:
    return {
        (alias.asname or alias.name): ast.unparse(node)
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
