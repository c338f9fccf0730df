"""Reads Python files for lq: what each of them means, and what it imports. It runs none of them.

Each line on stdin is the path of a file, as JSON. Each answer is a line of JSON on stdout.

Python 3.6 and later.
"""

import ast
import hashlib
import json
import sys
from typing import Any, Dict, Iterator, List, Optional, Tuple


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(read(json.loads(line))), flush=True)


def read(path: str) -> Dict[str, Any]:
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        return {"kind": "unreadable", "why": error.strerror or str(error)}
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return {"kind": "refused", "why": error.msg, "line": error.lineno or 1}
    except (ValueError, MemoryError, RecursionError, OverflowError) as error:
        return {"kind": "refused", "why": str(error) or type(error).__name__, "line": 1}
    imports, unknown = look(tree)
    return {
        "kind": "read",
        "digest": digest(tree),
        "imports": imports,
        "unknown": unknown,
        "all": public_names(tree),
    }


def digest(tree: ast.AST) -> str:
    """sha256 of the tree: equal if and only if `ast.dump(tree, include_attributes=False)` is equal.

    Iterative, so that a long chain of operators does not exceed the limit of recursion.
    """
    parts: List[str] = []
    stack: List[Any] = [tree]
    while stack:
        item = stack.pop()
        if item is END:
            parts.append(")")
        elif isinstance(item, ast.AST):
            parts.append(type(item).__name__ + "(")
            stack.append(END)
            stack.extend(getattr(item, field, None) for field in reversed(item._fields))
        elif isinstance(item, list):
            parts.append("[%d" % len(item))
            stack.extend(reversed(item))
        elif type(item) is int:
            # `repr` refuses very large numbers.
            parts.append(hex(item))
        else:
            parts.append(repr(item))
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


END = object()


def look(tree: ast.AST) -> Tuple[List[Dict[str, Any]], List[Dict[str, Any]]]:
    """The imports of a file, and the places where it may use code that its text does not show."""
    imports: List[Dict[str, Any]] = []
    unknown: List[Dict[str, Any]] = []
    for node in nodes_that_run(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                imports.append({"module": alias.name, "level": 0, "names": []})
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
            imports.append({"module": node.module or "", "level": node.level or 0, "names": names})
        elif isinstance(node, ast.Call):
            what = called(node.func)
            if what in IMPORTERS:
                module = text_of(node.args[0]) if node.args else None
                if module is None:
                    unknown.append({"what": "it imports a computed name", "line": node.lineno})
                else:
                    name = module.lstrip(".")
                    imports.append({"module": name, "level": len(module) - len(name), "names": []})
            elif what in RUNNERS:
                unknown.append({"what": "it calls %s" % what, "line": node.lineno})
            elif what in PATH_CALLS:
                unknown.append({"what": "it changes sys.path", "line": node.lineno})
        elif isinstance(node, (ast.Assign, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(called(target) == "sys.path" for target in targets):
                unknown.append({"what": "it changes sys.path", "line": node.lineno})
    return imports, sorted(unknown, key=lambda place: int(place["line"]))


IMPORTERS = {"__import__", "import_module", "importlib.import_module"}
RUNNERS = {"exec", "runpy.run_path", "runpy.run_module"}
PATH_CALLS = {"sys.path.insert", "sys.path.append", "sys.path.extend"}


def nodes_that_run(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes, in no certain order, without those under `if TYPE_CHECKING:`."""
    stack: List[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, ast.If) and is_type_checking(node.test):
            stack.extend(node.orelse)
        else:
            stack.extend(ast.iter_child_nodes(node))


def is_type_checking(test: ast.AST) -> bool:
    return called(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def called(node: ast.AST) -> Optional[str]:
    """ "a.b.c" for a chain of names and attributes; None for anything else."""
    parts: List[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id] + parts[::-1])


def text_of(node: ast.AST) -> Optional[str]:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, str) else None


def public_names(tree: ast.Module) -> List[str]:
    """The texts in `__all__`: the submodules that `from module import *` may import."""
    names: List[str] = []
    for node in tree.body:
        targets: List[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AugAssign):
            targets = [node.target]
        if not any(called(target) == "__all__" for target in targets):
            continue
        value = getattr(node, "value", None)
        if isinstance(value, (ast.List, ast.Tuple)):
            names.extend(text for text in map(text_of, value.elts) if text is not None)
    return names


if __name__ == "__main__":
    main()
