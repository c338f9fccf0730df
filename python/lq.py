"""What a script that lq runs asks of its task::

    from lq import task

    image = task.input("image")
    threshold = task.params["threshold"]
    task.progress(0.4, "epoch 12")
    task.metrics(50, loss=1.0, dice=0.8)
    write(task.output("labels"))

lq puts this module on Python's path. Python 3.8 and later; it needs nothing else.
"""

import json
import os
import signal
import threading
from types import FrameType
from typing import Any, Dict, List, Optional, Union

__all__ = ["task", "Task"]


class Task:
    """The task that this process runs. It is read when it is first used, so that importing it costs nothing."""

    def __init__(self) -> None:
        self._known: Optional[Dict[str, Any]] = None
        self._stop = threading.Event()
        self._watches = False

    def input(self, name: Optional[str] = None) -> str:
        """The path of an input; without a name, of the only one. A folder ends in "/"."""
        return self._single("input", name)

    def inputs(self, name: Optional[str] = None) -> List[str]:
        """The paths of an input that is a list."""
        return self._paths("input", name)

    def output(self, name: Optional[str] = None) -> str:
        """Where to write an output; without a name, the only one. A folder is there and ends in "/"."""
        return self._single("output", name)

    def outputs(self, name: Optional[str] = None) -> List[str]:
        """Where to write the outputs of a list."""
        return self._paths("output", name)

    @property
    def params(self) -> Dict[str, Any]:
        """The values under the rule's `with:`."""
        params: Dict[str, Any] = self._task["params"]
        return params

    @property
    def scratch(self) -> Optional[str]:
        """With `resume: true` the folder that is kept between attempts, else None."""
        scratch: Optional[str] = self._task["scratch"]
        return scratch

    @property
    def cpus(self) -> int:
        """The cores that the task holds: use no more threads than this."""
        cpus: int = self._task["cpus"]
        return cpus

    @property
    def devices(self) -> List[str]:
        """Ids of the GPUs that the task holds; CUDA_VISIBLE_DEVICES has the same."""
        devices: List[str] = self._task["devices"]
        return devices

    @property
    def should_stop(self) -> bool:
        """Whether the task is to save and end: SIGTERM or SIGUSR1 came. Ask at first in the main thread."""
        if not self._watches:
            self._watches = True
            for each in (signal.SIGTERM, signal.SIGUSR1):
                signal.signal(each, self._on_signal)
        return self._stop.is_set()

    def progress(self, fraction: float, note: Optional[str] = None) -> None:
        """Tells how far the task is, from 0 to 1, and what it is at."""
        line: Dict[str, Any] = {"progress": float(fraction)}
        if note is not None:
            line["note"] = str(note)
        self._append(line)

    def metrics(self, step: int, **values: float) -> None:
        """Tells numbers of one step, such as a loss."""
        line: Dict[str, Any] = {name: float(value) for name, value in values.items()}
        line["step"] = int(step)
        self._append(line)

    @property
    def _task(self) -> Dict[str, Any]:
        if self._known is None:
            path = os.environ.get("LQ_TASK_FILE")
            if not path:
                raise RuntimeError(
                    "this script is run by lq: write `script: PATH` in a rule of pipeline.yaml, then `lq build`"
                )
            with open(path, encoding="utf-8") as file:
                self._known = json.load(file)
        return self._known

    def _role(self, kind: str, name: Optional[str]) -> Dict[str, Any]:
        roles: Dict[str, Dict[str, Any]] = self._task[kind + "s"]
        if name is None and len(roles) == 1:
            return next(iter(roles.values()))
        if name is None or name not in roles:
            known = ", ".join(roles) or "none"
            what = "has no %s %r" % (kind, name) if name else "has %d %ss: name one" % (len(roles), kind)
            raise KeyError("the rule %s (its %ss: %s)" % (what, kind, known))
        return roles[name]

    def _paths(self, kind: str, name: Optional[str]) -> List[str]:
        paths: List[str] = self._role(kind, name)["paths"]
        return paths

    def _single(self, kind: str, name: Optional[str]) -> str:
        role = self._role(kind, name)
        if role["list"]:
            raise KeyError("that %s is a list: read it with task.%ss()" % (kind, kind))
        path: str = role["paths"][0]
        return path

    def _append(self, line: Dict[str, Any]) -> None:
        path: Union[str, None] = os.environ.get("LQ_METRICS")
        if not path:
            return
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _on_signal(self, number: int, frame: Optional[FrameType]) -> None:
        self._stop.set()


task = Task()
