"""nnU-Net's sliding window in PyTorch, which bench/inference.ts times: a PlainConvUNet as its checkpoint describes it,
mirroring, Gaussian weights, sums in float32. Reads JSON from its first argument; writes the merged logits (heads, z, y,
x) to the file `out`; prints {"cpu": seconds, "wall": seconds}, the least of `runs`."""

import itertools
import json
import re
import sys
import time

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch.nn import functional as F

# Checkpoints of numpy 2 name its modules so.
sys.modules.setdefault("numpy._core", np.core)
sys.modules.setdefault("numpy._core.multiarray", np.core.multiarray)

settings = json.loads(sys.argv[1])
torch.set_num_threads(settings["threads"])
patch, mirror_axes = settings["patch"], settings["mirrorAxes"]


class PlainConvUNet:
    """Widths, kernels and strides are told by the weights' shapes: an up-convolution's kernel is its stride."""

    def __init__(self, weights):
        self.weights = weights
        names = [re.match(r"encoder\.stages\.(\d+)\.0\.convs\.(\d+)\.conv\.weight", name) for name in weights]
        self.levels = 1 + max(int(match[1]) for match in names if match)

    def convolutions(self, x, prefix, stride):
        for i in itertools.count():
            name = f"{prefix}.convs.{i}"
            weight = self.weights.get(f"{name}.conv.weight")
            if weight is None:
                return x
            padding = [k // 2 for k in weight.shape[2:]]
            bias = self.weights.get(f"{name}.conv.bias")
            # Which F.conv3d takes or not, by version and size: old versions are ten times slower without.
            strides = stride if i == 0 else (1, 1, 1)
            x = torch.mkldnn_convolution(x, weight, bias, padding, strides, (1, 1, 1), 1)
            x = F.instance_norm(x, weight=self.weights[f"{name}.norm.weight"], bias=self.weights[f"{name}.norm.bias"])
            x = F.leaky_relu(x, 0.01, inplace=True)

    def __call__(self, x):
        ups = [f"decoder.transpconvs.{i}" for i in range(self.levels - 1)]
        strides = [(1, 1, 1), *(tuple(self.weights[f"{up}.weight"].shape[2:]) for up in reversed(ups))]
        skips = []
        for level, stride in enumerate(strides):
            x = self.convolutions(x, f"encoder.stages.{level}.0", stride)
            skips.append(x)
        for i, up in enumerate(ups):
            level = self.levels - 1 - i
            x = F.conv_transpose3d(x, self.weights[f"{up}.weight"], self.weights.get(f"{up}.bias"), strides[level])
            x = self.convolutions(torch.cat([x, skips[level - 1]], 1), f"decoder.stages.{i}", (1, 1, 1))
        head = f"decoder.seg_layers.{self.levels - 2}"
        return F.conv3d(x, self.weights[f"{head}.weight"], self.weights[f"{head}.bias"])


def gaussian():
    point = np.zeros(patch)
    point[tuple(n // 2 for n in patch)] = 1
    weights = gaussian_filter(point, [n / 8 for n in patch], 0, mode="constant", cval=0)
    weights *= 10 / weights.max()
    weights[weights == 0] = weights[weights > 0].min()
    return torch.from_numpy(weights.astype(np.float32))


def starts(size, length):
    count = int(np.ceil((size - length) / (length * settings["step"]))) + 1
    step = (size - length) / (count - 1) if count > 1 else 0
    return [int(np.round(step * i)) for i in range(count)]


def mirrored_mean(network, x):
    """Mean over all combinations of mirrored axes."""
    total = network(x)
    subsets = [s for n in range(1, len(mirror_axes) + 1) for s in itertools.combinations(mirror_axes, n)]
    for axes in subsets:
        dims = [axis + 2 for axis in axes]
        total += torch.flip(network(torch.flip(x, dims)), dims)
    return total / (len(subsets) + 1)


def predict(network, image, weights):
    shape = image.shape[1:]
    heads = total = None
    for corner in itertools.product(*(starts(size, n) for size, n in zip(shape, patch))):
        window = (slice(None), *(slice(at, at + n) for at, n in zip(corner, patch)))
        prediction = mirrored_mean(network, image[window][None])[0]
        if heads is None:
            heads = torch.zeros((len(prediction), *shape))
            total = torch.zeros(shape)
        heads[window] += prediction * weights
        total[window[1:]] += weights
    return heads / total


checkpoint = torch.load(settings["checkpoint"], map_location="cpu")
network = PlainConvUNet(checkpoint["network_weights"])
image = torch.from_numpy(np.fromfile(settings["image"], np.float32).reshape(-1, *settings["shape"]))
weights = gaussian()
times = []
with torch.no_grad():
    for _ in range(settings["runs"]):
        cpu, wall = time.process_time(), time.perf_counter()
        merged = predict(network, image, weights)
        times.append((time.process_time() - cpu, time.perf_counter() - wall))
merged.numpy().tofile(settings["out"])
print(json.dumps({"cpu": min(cpu for cpu, _ in times), "wall": min(wall for _, wall in times)}))
