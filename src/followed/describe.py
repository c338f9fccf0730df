"""Describes a Python environment for lq, from its metadata on disk: one object of JSON on stdout.

The argument is a list, as JSON, of folders that PYTHONPATH names. Python 3.8 and later.
"""

import json
import os
import re
import site
import sys
import sysconfig
from importlib import metadata
from typing import Any, Dict, List, Optional, Set
from urllib.parse import unquote, urlparse


def main() -> None:
    path = json.loads(sys.argv[1]) + [folder for folder in sys.path if folder] + user_site()
    print(
        json.dumps(
            {
                "version": "%d.%d" % sys.version_info[:2],
                "executable": sys.executable,
                "prefix": sys.prefix,
                "path": path,
                "standard": sorted(standard_modules()),
                "distributions": distributions(path),
            }
        )
    )


def user_site() -> List[str]:
    """The user's own packages, which `-I` leaves out and tasks see."""
    if "PYTHONNOUSERSITE" in os.environ or (sys.prefix != sys.base_prefix and not sees_system()):
        return []
    folder = site.getusersitepackages()
    if not os.path.isdir(folder):
        return []
    before = len(sys.path)
    site.addsitedir(folder)
    return sys.path[before:]


def sees_system() -> bool:
    try:
        with open(os.path.join(sys.prefix, "pyvenv.cfg")) as file:
            return re.search(r"(?im)^include-system-site-packages\s*=\s*true", file.read()) is not None
    except OSError:
        return False


def standard_modules() -> Set[str]:
    known = set(sys.builtin_module_names) | set(getattr(sys, "stdlib_module_names", ()))
    if hasattr(sys, "stdlib_module_names"):
        return known
    folder = sysconfig.get_paths()["stdlib"]
    for names in (folder, os.path.join(folder, "lib-dynload")):
        if os.path.isdir(names):
            known.update(name.split(".")[0] for name in os.listdir(names))
    return known - {"site-packages", "dist-packages"}


def distributions(path: List[str]) -> List[Dict[str, Any]]:
    """Installed packages. If two have one name, the first on the path counts, as in Python."""
    found: Dict[str, Dict[str, Any]] = {}
    for each in metadata.distributions(path=path):
        try:
            name = each.metadata["Name"]
            version = each.version
        except (OSError, KeyError, TypeError, ValueError):
            continue
        if not name or not version or canonical(name) in found:
            continue
        found[canonical(name)] = {
            "name": canonical(name),
            "version": version,
            "requires": requirements(each.requires or []),
            "modules": sorted(modules(each, name)),
            "source": editable_source(each),
        }
    return [found[name] for name in sorted(found)]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(lines: List[str]) -> List[str]:
    """Names of the packages that it requires, without those that only an extra requires."""
    names: Set[str] = set()
    for line in lines:
        requirement, _, marker = line.partition(";")
        match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", requirement)
        if match and not re.search(r"\bextra\b", marker):
            names.add(canonical(match.group(1)))
    return sorted(names)


def modules(each: metadata.Distribution, name: str) -> Set[str]:
    """The outermost modules that it installs; for a namespace package, the modules inside it."""
    record = each.read_text("RECORD") or ""
    files = [re.sub(r",[^,]*,[^,]*$", "", line).strip('"') for line in record.splitlines()]
    code = [file for file in files if file.endswith((".py", ".so", ".pyd")) and not file.startswith("..")]
    if code:
        packages = {os.path.dirname(file) for file in code if os.path.basename(file) == "__init__.py"}
        return {outermost(file, packages) for file in code}
    top = (each.read_text("top_level.txt") or "").split()
    return set(top) if top else {name.replace("-", "_")}


def outermost(file: str, packages: Set[str]) -> str:
    parts = file.split("/")
    for i in range(1, len(parts)):
        if "/".join(parts[:i]) in packages:
            return ".".join(parts[:i])
    return ".".join(parts[:-1] + [parts[-1].split(".")[0]])


def editable_source(each: metadata.Distribution) -> Optional[str]:
    """The folder of an editable installation."""
    try:
        origin = json.loads(each.read_text("direct_url.json") or "{}")
    except ValueError:
        return None
    url = urlparse(str(origin.get("url", "")))
    if url.scheme != "file" or not origin.get("dir_info", {}).get("editable"):
        return None
    return unquote(url.path)


if __name__ == "__main__":
    main()
