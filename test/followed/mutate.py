"""Writes mutated Python files, with what Python itself says of each: `mutate.py FOLDER COUNT SEED FILE…`.

A line of JSON each: path and the sha256 of `ast.dump(…, include_attributes=False)`, or null where Python refuses it.
"""

import ast
import hashlib
import json
import os
import random
import sys
import warnings
from typing import List, Optional

EDITS = [
    lambda r, t: insert_line(r, t, "# a comment"),
    lambda r, t: insert_line(r, t, ""),
    lambda r, t: insert_line(r, t, "    # indented"),
    lambda r, t: t.replace(r.choice(["    ", "'", '"', "(", " = ", ", "]), r.choice(["  ", '"', "'", "((", "=", ","]), 1),
    lambda r, t: cut(r, t, r.randint(1, 3)),
    lambda r, t: splice(r, t, r.choice(["\t", " ", "\\\n", ";", ":", "é", "0", "(", ")", "\0", "\r", "\f", "'''", "f'{x!r}'"])),
    lambda r, t: t.replace("'", '"'),
    lambda r, t: t.replace("\n", "\r\n"),
    lambda r, t: t + "\n# the end",
    lambda r, t: t.replace("if ", "if (", 1).replace(":\n", "):\n", 1),
    lambda r, t: t.rstrip("\n"),
    lambda r, t: splice(r, t, "(" * 300),
]


def insert_line(r: random.Random, text: str, line: str) -> str:
    lines = text.split("\n")
    lines.insert(r.randrange(len(lines) + 1), line)
    return "\n".join(lines)


def cut(r: random.Random, text: str, length: int) -> str:
    at = r.randrange(max(1, len(text) - length))
    return text[:at] + text[at + length :]


def splice(r: random.Random, text: str, piece: str) -> str:
    at = r.randrange(len(text) + 1)
    return text[:at] + piece + text[at:]


def dump(source: bytes) -> Optional[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError):
        return None
    return hashlib.sha256(ast.dump(tree, include_attributes=False).encode("utf-8", "surrogatepass")).hexdigest()


def pieces(files: List[str]) -> List[str]:
    """Top-level statements of these files, as sources of their own."""
    found: List[str] = []
    for file in files:
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
        for node in ast.parse(text).body:
            piece = ast.get_source_segment(text, node)
            if piece is not None and len(piece) < 3000:
                found.append(piece + "\n")
    return found


def main() -> None:
    warnings.simplefilter("ignore")
    folder, count, seed, *files = sys.argv[1:]
    r = random.Random(int(seed))
    sources = pieces(files)
    for i in range(int(count)):
        text = r.choice(sources)
        for _ in range(r.randint(0, 3)):
            text = r.choice(EDITS)(r, text)
        path = os.path.join(folder, "%d.py" % i)
        source = text.encode("utf-8", "surrogatepass")
        with open(path, "wb") as file:
            file.write(source)
        print(json.dumps([path, dump(source)]))


main()
