"""
Runs networks with PyTorch for lq: it interprets ONNX graphs, trains them by autograd and predicts whole volumes.

lq starts this file (process.ts) and sends requests as JSON frames on stdin: the length as 4 bytes, little-endian, then
UTF-8 text. Each request gets one reply frame on stdout, in order. Arrays pass through two files that lq has opened:
descriptor 3 for arrays from lq, descriptor 4 for arrays to lq. Needs PyTorch 1.13 or later and nothing else.
"""

import sys

sys.path = [path for path in sys.path if path]  # A file of the project, such as random.py, must not hide a module.

import json
import math
import mmap
import os
import resource
import signal
import struct
import time
import traceback
from itertools import product
from typing import Any, BinaryIO, Callable, Dict, Iterable, List, Optional, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

Json = Dict[str, Any]
Values = List[Tensor]
Operator = Callable[[Json, Values], Tensor]

untyped: Any = torch  # For functions that some versions of torch do not declare types for.
TYPES = {"float32": torch.float32, "uint8": torch.uint8, "int32": torch.int32, "int64": torch.int64}
FROM_LQ, TO_LQ = 3, 4


# ---- operators ---------------------------------------------------------------------------------------------------


def convolution(attributes: Json, x: Values) -> Tensor:
    dimensions = x[1].dim() - 2
    pads = attributes.get("pads", [0] * 2 * dimensions)
    if pads[:dimensions] != pads[dimensions:]:
        raise ValueError(f"Conv with different pads before and after: {pads}")
    bias = x[2] if len(x) > 2 else None
    strides = attributes.get("strides", [1] * dimensions)
    if torch.is_inference_mode_enabled() and x[0].device.type == "cpu" and untyped.backends.mkldnn.is_available():
        # Not every version of torch chooses oneDNN by itself. Without it, 1.13 takes ten times as long.
        result: Tensor = untyped.mkldnn_convolution(
            x[0].contiguous(), x[1], bias, pads[:dimensions], strides, [1] * dimensions, 1
        )
        return result
    function: Any = F.conv2d if dimensions == 2 else F.conv3d
    result = function(x[0], x[1], bias, strides, pads[:dimensions])
    return result


def transposed_convolution(attributes: Json, x: Values) -> Tensor:
    function: Any = F.conv_transpose2d if x[1].dim() == 4 else F.conv_transpose3d
    result: Tensor = function(x[0], x[1], x[2] if len(x) > 2 else None, attributes["strides"])
    return result


def average_pool(attributes: Json, x: Values) -> Tensor:
    function: Any = F.avg_pool2d if x[0].dim() == 4 else F.avg_pool3d
    result: Tensor = function(x[0], attributes["kernel_shape"], attributes["strides"])
    return result


def instance_norm(attributes: Json, x: Values) -> Tensor:
    return F.instance_norm(x[0], weight=x[1], bias=x[2], eps=attributes["epsilon"])


def layer_norm(attributes: Json, x: Values) -> Tensor:
    return F.layer_norm(x[0], x[1].shape, x[1], x[2], attributes["epsilon"])


def leaky_relu(attributes: Json, x: Values) -> Tensor:
    return F.leaky_relu(x[0], attributes.get("alpha", 0.01), inplace=attributes["in_place"])


def gelu(_: Json, x: Values) -> Tensor:
    result: Tensor = untyped.nn.functional.gelu(x[0])
    return result


def enlarge(_: Json, x: Values) -> Tensor:
    """Nearest neighbour by whole factors. The backward pass of `expand` is deterministic on every device."""
    factors = [round(scale) for scale in x[2].tolist()]
    shape = x[0].shape
    wide = x[0].reshape([n for size in shape for n in (size, 1)])
    wide = wide.expand([n for pair in zip(shape, factors) for n in pair])
    return wide.reshape([size * factor for size, factor in zip(shape, factors)])


def reshape(_: Json, x: Values) -> Tensor:
    sizes = [int(size) for size in x[1].tolist()]
    return x[0].reshape([x[0].shape[i] if size == 0 else size for i, size in enumerate(sizes)])


def cut(_: Json, x: Values) -> Tensor:
    starts, ends, axes = (part.tolist() for part in x[1:4])
    steps = x[4].tolist() if len(x) > 4 else [1] * len(starts)
    ranges = [slice(None)] * x[0].dim()
    for axis, start, end, step in zip(axes, starts, ends, steps):
        ranges[axis] = slice(start, min(end, x[0].shape[axis]) if end >= 0 else end, step)
    return x[0][tuple(ranges)]


def pad(_: Json, x: Values) -> Tensor:
    pads = x[1].tolist()
    axes = len(pads) // 2
    return F.pad(x[0], [n for axis in reversed(range(axes)) for n in (pads[axis], pads[axes + axis])])


def gather(attributes: Json, x: Values) -> Tensor:
    return x[0].index_select(attributes.get("axis", 0), x[1].to(x[0].device))


def reduce_mean(attributes: Json, x: Values) -> Tensor:
    result: Tensor = x[0].mean(x[1].tolist(), keepdim=attributes.get("keepdims", 1) == 1)
    return result


OPERATORS: Dict[str, Operator] = {
    "Add": lambda _, x: x[0] + x[1],
    "AveragePool": average_pool,
    "Concat": lambda a, x: torch.cat(x, a["axis"]),
    "Conv": convolution,
    "ConvTranspose": transposed_convolution,
    "Cos": lambda _, x: x[0].cos(),
    "Div": lambda _, x: x[0] / x[1],
    "Expand": lambda _, x: x[0].expand(x[1].tolist()),
    "Gather": gather,
    "Gelu": gelu,
    "Identity": lambda _, x: x[0],
    "InstanceNormalization": instance_norm,
    "LayerNormalization": layer_norm,
    "LeakyRelu": leaky_relu,
    "MatMul": lambda _, x: x[0] @ x[1],
    "Mul": lambda _, x: x[0] * x[1],
    "Pad": pad,
    "ReduceMean": reduce_mean,
    "Relu": lambda _, x: F.relu(x[0]),
    "Reshape": reshape,
    "Resize": enlarge,
    "Shape": lambda _, x: torch.tensor(x[0].shape),
    "Sin": lambda _, x: x[0].sin(),
    "Slice": cut,
    "Softmax": lambda a, x: x[0].softmax(a["axis"]),
    "Sqrt": lambda _, x: x[0].sqrt(),
    "Sub": lambda _, x: x[0] - x[1],
    "Transpose": lambda a, x: x[0].permute(a["perm"]),
}
# The backward pass of these does not need their result, so that the next operator may overwrite it.
OVERWRITABLE = {"InstanceNormalization", "Add"}


# ---- networks ----------------------------------------------------------------------------------------------------


class Network:
    """A graph, ready to run. `constants` are the graph's tensors; integers stay in the host's memory."""

    def __init__(self, graph: Json, constants: Dict[str, Tensor], device: torch.device) -> None:
        self.outputs: List[str] = graph["outputs"]
        self.nodes: List[Json] = graph["nodes"]
        self.constants = {
            name: value.to(device) if value.is_floating_point() and value.dim() > 0 else value
            for name, value in constants.items()
        }
        unknown = sorted({node["op"] for node in self.nodes} - set(OPERATORS))
        if unknown:
            raise ValueError(f"the network uses operators that the PyTorch backend does not have: {', '.join(unknown)}")
        uses: Dict[str, int] = {}
        last: Dict[str, int] = {}
        for i, node in enumerate(self.nodes):
            for name in node["in"]:
                uses[name] = uses.get(name, 0) + 1
                last[name] = i
        made = {node["out"]: node["op"] for node in self.nodes}
        kept = {*self.outputs, *self.constants, ""}
        for i, node in enumerate(self.nodes):
            first = node["in"][0]
            node["attributes"]["in_place"] = uses[first] == 1 and made.get(first) in OVERWRITABLE
            node["release"] = [name for name in {*node["in"]} if last[name] == i and name not in kept]

    def __call__(self, inputs: Dict[str, Tensor]) -> List[Tensor]:
        values = {**self.constants, **inputs}
        none = torch.empty(0)
        for node in self.nodes:
            operands = [values[name] if name else none for name in node["in"]]
            values[node["out"]] = OPERATORS[node["op"]](node["attributes"], operands)
            del operands
            for name in node["release"]:
                del values[name]
        return [values[name] for name in self.outputs]


def configure(precision: str, threads: int, device: torch.device) -> Any:
    """Sets what is global in torch; the result is the context for a forward pass."""
    exact = precision == "fp32"
    torch.set_num_threads(threads)
    untyped.use_deterministic_algorithms(exact)
    torch.backends.cudnn.deterministic = exact
    torch.backends.cudnn.benchmark = not exact
    torch.backends.cudnn.allow_tf32 = not exact
    torch.backends.cuda.matmul.allow_tf32 = not exact
    return untyped.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "amp")


# ---- training ----------------------------------------------------------------------------------------------------


class Trainer:
    """AdamW on the parameters of a graph, as torch.optim.AdamW; loss as MONAI's DiceCELoss (softmax, one-hot)."""

    def __init__(self, request: Json, graph: Network, state: Dict[str, List[Tensor]], device: torch.device) -> None:
        self.request, self.graph, self.device = request, graph, device
        self.names: List[str] = request["parameters"]
        self.parameters = [values.to(device).requires_grad_() for values in state["weights"]]
        adam = request["optimizer"]
        self.optimizer = torch.optim.AdamW(
            self.parameters,
            betas=(adam["beta1"], adam["beta2"]),
            eps=adam["epsilon"],
            weight_decay=adam["weightDecay"],
        )
        if request["step"] > 0:
            for parameter, first, second in zip(self.parameters, state["first"], state["second"]):
                self.optimizer.state[parameter] = {
                    "step": torch.tensor(float(request["step"])),
                    "exp_avg": first.to(device),
                    "exp_avg_sq": second.to(device),
                }

    def step(self, images: Tensor, labels: Tensor, rate: float) -> Json:
        """One step. `images` (N, C, z, y, x), `labels` (N, 1, z, y, x) uint8."""
        self.optimizer.zero_grad(set_to_none=True)
        with configure(self.request["precision"], self.request["threads"], self.device):
            outputs = self.graph({"image": images, **dict(zip(self.names, self.parameters))})
        parts = [self.loss(logits.float(), labels) for logits in outputs]
        del outputs
        shares = self.request["shares"]
        dice = sum((share * part[0] for share, part in zip(shares, parts)), torch.zeros((), device=self.device))
        ce = sum((share * part[1] for share, part in zip(shares, parts)), torch.zeros((), device=self.device))
        loss: Any = dice + ce
        loss.backward()
        self.optimizer.param_groups[0]["lr"] = rate
        self.optimizer.step()
        values = torch.stack([loss, dice, ce]).detach().cpu().tolist()
        return {name: value if math.isfinite(value) else None for name, value in zip(("loss", "dice", "ce"), values)}

    def loss(self, logits: Tensor, labels: Tensor) -> Sequence[Tensor]:
        """Soft Dice and cross-entropy. Comparing labels, unlike `cross_entropy`, is deterministic on every device."""
        classes = torch.arange(logits.shape[1], dtype=torch.uint8, device=logits.device)
        target = labels == classes.reshape(1, -1, 1, 1, 1)
        log = logits.log_softmax(1)
        # A label that is no class (ignore) has no target; such voxels do not count.
        counted = target.any(1, keepdim=True) if self.request["ignore"] else None
        ce = -(log * target).sum() / (labels.numel() if counted is None else counted.sum().clamp(min=1))
        first = 0 if self.request["includeBackground"] else 1
        p, t = log.exp()[:, first:], target[:, first:]
        if counted is not None:
            p = p * counted
        space = [0, 2, 3, 4] if self.request["batchDice"] else [2, 3, 4]
        overlap = (p * t).sum(space)
        extent = p.sum(space) + t.sum(space)
        return (1 - (2 * overlap + 1e-5) / (extent + 1e-5)).mean(), ce

    def state(self, part: str) -> Iterable[Tensor]:
        """`weights`, `first` or `second` (Adam's moments), in the order of the parameters."""
        if part == "weights":
            return [parameter.detach() for parameter in self.parameters]
        name = {"first": "exp_avg", "second": "exp_avg_sq"}[part]
        moments = [self.optimizer.state[parameter].get(name) for parameter in self.parameters]
        return [torch.zeros_like(p) if m is None else m for p, m in zip(self.parameters, moments)]


# ---- whole volumes -----------------------------------------------------------------------------------------------


def predict_volume(
    networks: Sequence[Network],
    image: Tensor,
    weights: Tensor,
    request: Json,
    device: torch.device,
    progress: Callable[[float], None],
) -> List[Tensor]:
    """
    The mean over networks of the weighted means of all windows: one array (z, y, x) for each class.
    `image` (C, z, y, x) is padded to the patch already. Sums stay on the device if its free memory suffices.
    """
    patch: List[int] = request["patch"]
    weights = weights.reshape(patch).to(device)
    sums: List[Tensor] = []
    image = image.to(device) if has_room(image.numel(), device) else image
    total = torch.zeros(image.shape[1:], device=device if has_room(2 * image[0].numel(), device) else "cpu")
    corners = list(product(*request["starts"]))
    mirrors: List[List[int]] = request["mirrors"]
    done, count = 0, len(networks) * len(corners) * len(mirrors)
    with untyped.inference_mode(), configure(request["precision"], request["threads"], device):
        for network, corner in product(networks, corners):
            window = tuple(slice(start, start + size) for start, size in zip(corner, patch))
            x = image[(slice(None), *window)][None].to(device)
            for axes in mirrors:
                dims = [axis + 2 for axis in axes]
                prediction = network({request["input"]: x.flip(dims) if dims else x})[0].float()
                prediction = (prediction.flip(dims) if dims else prediction)[0] * weights
                if not sums:
                    place = device if has_room(len(prediction) * total.numel(), device) else torch.device("cpu")
                    total = total.to(place)
                    sums = [torch.zeros_like(total) for _ in prediction]
                for each, values in zip(sums, prediction):
                    each[window] += values.to(each.device)
                total[window] += weights.to(total.device)
                del prediction
                done += 1
                progress(done / count)
        finite = all(bool(torch.isfinite(each.div_(total)).all()) for each in sums)
    if not finite:
        raise ValueError("the network gave values that are not finite (NaN or infinite)")
    inside = tuple(slice(low, low + size) for low, size in zip(request["before"], request["shape"]))
    return [each[inside] for each in sums]


def has_room(count: int, device: torch.device) -> bool:
    """Whether the device has free memory for so many float32 numbers, with a tenth to spare."""
    if device.type != "cuda":
        return True
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return 4.4 * count < torch.cuda.mem_get_info(device)[0] + unused


# ---- requests ----------------------------------------------------------------------------------------------------


class Worker:
    """What lq has put here, by its names, and the requests on it."""

    def __init__(self, send: Callable[[Json], None]) -> None:
        self.send = send
        self.device = torch.device("cpu")
        self.tensors: Dict[str, Tensor] = {}
        self.networks: Dict[str, Network] = {}
        self.trainers: Dict[str, Trainer] = {}
        self.incoming = mmap.mmap(FROM_LQ, 0)
        self.outgoing = torch.frombuffer(mmap.mmap(TO_LQ, 0), dtype=torch.uint8)

    def hello(self, request: Json) -> Json:
        """Takes the accelerator if one is asked for and there is one. Says what results may depend on."""
        mps = getattr(torch.backends, "mps", None)
        if request["accelerator"] and torch.cuda.is_available():
            self.device = torch.device("cuda:0")
        elif request["accelerator"] and mps is not None and mps.is_available():
            self.device = torch.device("mps")
        found: Json = {"torch": str(torch.__version__), "device": self.device.type, "name": "CPU"}
        if self.device.type == "cuda":
            untyped.cuda.init()
            found["name"] = torch.cuda.get_device_name(self.device)
            found["cuda"] = torch.version.cuda or f"ROCm {getattr(torch.version, 'hip', None)}"
            found["cudnn"] = str(untyped.backends.cudnn.version())
            found["driver"] = driver()
        elif request["accelerator"]:
            built = torch.version.cuda or getattr(torch.version, "hip", None)
            found["why"] = "it finds no usable device" if built else "it was built without CUDA and ROCm"
        return found

    def read(self, place: Json) -> Tensor:
        """An array in the file from lq; it is lq's again after the reply."""
        count = math.prod(place["shape"])
        dtype = TYPES[place["type"]]
        end = place["at"] + count * torch.empty(0, dtype=dtype).element_size()
        if end > len(self.incoming):
            self.incoming = mmap.mmap(FROM_LQ, 0)
        return torch.frombuffer(self.incoming, dtype=dtype, count=count, offset=place["at"]).reshape(place["shape"])

    def put(self, request: Json) -> Json:
        """Copies a chunk to elements `start` … of a tensor, which the first chunk creates."""
        chunk = self.read(request["chunk"])
        name = request["name"]
        if request["start"] == 0:
            self.tensors[name] = torch.empty(math.prod(request["shape"]), dtype=chunk.dtype)
        self.tensors[name][request["start"] : request["start"] + chunk.numel()] = chunk
        if request["start"] + chunk.numel() == self.tensors[name].numel():
            self.tensors[name] = self.tensors[name].reshape(request["shape"])
        return {}

    def take(self, request: Json) -> Json:
        """Copies elements of a tensor to the file to lq; drops the tensor after its last element."""
        values = self.tensors[request["name"]].reshape(-1)
        chunk = values[request["start"] : request["start"] + request["count"]].cpu().contiguous()
        raw = chunk.view(torch.uint8) if chunk.dtype != torch.uint8 else chunk
        self.outgoing[: raw.numel()] = raw
        if request["start"] + request["count"] >= values.numel():
            del self.tensors[request["name"]]
        return {}

    def network(self, request: Json) -> Json:
        self.networks[request["name"]] = Network(request["graph"], self.constants(request), self.device)
        return {}

    def constants(self, request: Json) -> Dict[str, Tensor]:
        """Small constants come with the graph, large ones by `put` or in a file of weights."""
        path: Optional[str] = request["weights"]
        file = None
        if path is not None:
            file = torch.from_file(path, size=os.path.getsize(path) // 4, dtype=torch.float32)
        found: Dict[str, Tensor] = {}
        for name, each in request["graph"]["constants"].items():
            if "values" in each:
                found[name] = torch.tensor(each["values"], dtype=TYPES[each["type"]]).reshape(each["shape"])
            elif "at" in each and file is not None:
                count = math.prod(each["shape"])
                found[name] = file[each["at"] // 4 : each["at"] // 4 + count].reshape(each["shape"])
            else:
                found[name] = self.tensors.pop(f"{request['name']}/{name}")
        return found

    def run(self, request: Json) -> Json:
        inputs = {name: self.tensors.pop(key).to(self.device) for name, key in request["inputs"].items()}
        with untyped.inference_mode(), configure(request["precision"], request["threads"], self.device):
            outputs = self.networks[request["name"]](inputs)
        return {"outputs": self.keep(outputs, request["name"])}

    def keep(self, outputs: Sequence[Tensor], name: str) -> List[Json]:
        """Names results, for `take`."""
        for i, output in enumerate(outputs):
            self.tensors[f"{name}/output {i}"] = output.float()
        return [{"name": f"{name}/output {i}", "shape": list(output.shape)} for i, output in enumerate(outputs)]

    def volume(self, request: Json) -> Json:
        """Predicts a whole volume; the heads are there for `take`."""
        networks = [self.networks[name] for name in request["networks"]]
        image, weights = self.tensors.pop(request["image"]), self.tensors.pop(request["weights"])
        pads = [n for axis in (2, 1, 0) for n in (request["before"][axis], request["after"][axis])]
        heads = predict_volume(
            networks,
            F.pad(image, pads) if any(pads) else image,
            weights,
            request,
            self.device,
            lambda share: self.send({"progress": share}),
        )
        return {"outputs": self.keep(heads, request["networks"][0])}

    def trainer(self, request: Json) -> Json:
        graph = Network(request["graph"], self.constants(request), self.device)
        parts = ["weights", "first", "second"] if request["step"] > 0 else ["weights"]
        state = {part: self.split(self.tensors.pop(f"{request['name']}/{part}"), request["shapes"]) for part in parts}
        self.trainers[request["name"]] = Trainer(request, graph, state, self.device)
        return {}

    @staticmethod
    def split(flat: Tensor, shapes: Sequence[Sequence[int]]) -> List[Tensor]:
        pieces = untyped.split(flat, [math.prod(shape) for shape in shapes])
        return [piece.reshape(list(shape)).clone() for piece, shape in zip(pieces, shapes)]

    def step(self, request: Json) -> Json:
        images = self.read(request["images"]).to(self.device)
        labels = self.read(request["labels"]).to(self.device)
        return self.trainers[request["name"]].step(images, labels, request["rate"])

    def state(self, request: Json) -> Json:
        values = self.trainers[request["name"]].state(request["part"])
        self.tensors["state"] = torch.cat([each.reshape(-1).cpu() for each in values])
        return {}

    def close(self, request: Json) -> Json:
        self.networks.pop(request["name"], None)
        self.trainers.pop(request["name"], None)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return {}

    def usage(self, request: Json) -> Json:
        """Most bytes in use at once, of this process and on the device, and its seconds of CPU time."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        host = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        device = torch.cuda.max_memory_allocated() if self.device.type == "cuda" else 0
        return {"host": host, "device": device, "cpu": time.process_time()}


def driver() -> str:
    try:
        with open("/proc/driver/nvidia/version", encoding="utf8") as file:
            return file.readline().strip()
    except OSError:
        return "unknown"


def describe_error(error: BaseException) -> Json:
    text = f"{error}" or type(error).__name__
    memory = isinstance(error, MemoryError) or "out of memory" in text.lower()
    return {"message": text, "memory": memory, "trace": traceback.format_exc()}


def main() -> None:
    # A batch system signals every process; lq saves the state first and then closes stdin.
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    frames: BinaryIO = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # What libraries print must not get between the frames.

    def send(reply: Json) -> None:
        text = json.dumps(reply).encode()
        frames.write(struct.pack("<I", len(text)) + text)
        frames.flush()

    worker = Worker(send)
    requests = sys.stdin.buffer
    while True:
        head = requests.read(4)
        if len(head) < 4:
            return
        request: Json = json.loads(requests.read(struct.unpack("<I", head)[0]))
        try:
            send({"ok": getattr(worker, request["op"])(request)})
        except Exception as error:  # Every error is the request's; the worker lives on.
            send({"error": describe_error(error)})


if __name__ == "__main__":
    main()
