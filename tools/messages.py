"""List every sentence that forgedoctor can say, and what a translation lacks.

python tools/messages.py                 all templates, as JSON
python tools/messages.py zh_CN           what forgedoctor/locale/zh_CN.json lacks or no longer needs
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SPEAKERS = {"t", "say"}  # functions whose first argument is a template
HOLDERS = {"template"}  # names that hold one: ``template = "..."``


def templates() -> list[str]:
    """Every template in the two packages, sorted."""
    found: set[str] = set()
    for folder in (ROOT / "forgedoctor", ROOT / "checks"):
        for path in folder.rglob("*.py"):
            found.update(_in(ast.parse(path.read_text(encoding="utf-8"))))
    return sorted(found - {"{text}"})


def _in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and _name(node.func) in SPEAKERS:
            yield from _texts(node.args[0])
        elif isinstance(node, ast.Assign) and any(_name(target) in HOLDERS for target in node.targets):
            yield from _texts(node.value)


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def main() -> int:
    """Print the list, or the gaps of one language."""
    known = templates()
    if len(sys.argv) < 2:
        print(json.dumps(known, indent=1, ensure_ascii=False))
        return 0
    path = ROOT / "forgedoctor" / "locale" / f"{sys.argv[1]}.json"
    have = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    missing, stale = [one for one in known if one not in have], [one for one in have if one not in known]
    print(json.dumps({"missing": missing, "stale": stale}, indent=1, ensure_ascii=False))
    return 1 if missing or stale else 0


if __name__ == "__main__":
    sys.exit(main())
