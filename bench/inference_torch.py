"""nnU-Net's whole prediction in PyTorch, scikit-image and scipy, timed for bench/inference.ts. Steps: crop, CT
normalisation, cubic splines (slice by slice if slices are thick), a PlainConvUNet on all windows with mirroring and
Gaussian weights, the mean over folds, and the logits on the image's grid. Sums are float32. Reads JSON from its first
argument. Writes the merged logits (heads, z, y, x) to the file `logits` and the labels to `labels`. Prints {"windows":
seconds, "whole": seconds}, each {"cpu", "wall"}. Loading is not timed."""

import itertools
import json
import re
import sys
import time

import numpy as np
import torch
from scipy.ndimage import binary_fill_holes, gaussian_filter, map_coordinates
from skimage.transform import resize
from torch.nn import functional as F

# Checkpoints written with numpy 2 use these module names.
sys.modules.setdefault("numpy._core", np.core)
sys.modules.setdefault("numpy._core.multiarray", np.core.multiarray)

settings = json.loads(sys.argv[1])
torch.set_num_threads(settings["threads"])
patch, mirror_axes = settings["patch"], settings["mirrorAxes"]
fine, coarse = settings["modelSpacing"], settings["spacing"]


class PlainConvUNet:
    """The weights' shapes give widths, kernels and strides: the kernel of an up-convolution is its stride."""

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
            # F.conv3d chooses by version and size; old versions are ten times slower without this.
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


def padding(shape):
    """Padding before and after each axis, up to the patch."""
    missing = [max(0, length - n) for n, length in zip(shape, patch)]
    return [(n // 2, n - n // 2) for n in missing]


def windows(network, image, weights):
    pads = padding(image.shape[1:])
    image = torch.from_numpy(np.pad(image, [(0, 0), *pads]))
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
    inside = (slice(None), *(slice(low, n - high) for n, (low, high) in zip(shape, pads)))
    return (heads / total)[inside]


def thick_axis(first, second):
    for spacing in (first, second):
        if max(spacing) / min(spacing) > 3:
            axes = [axis for axis in range(3) if spacing[axis] == max(spacing)]
            return axes[0] if len(axes) == 1 else None
    return None


def resample(channels, shape, order, axis):
    """nnU-Net's resampling of (channels, z, y, x) to a shape; with `axis`, slice by slice across it."""
    if list(channels.shape[1:]) == list(shape):
        return channels
    options = {"order": order, "mode": "edge", "anti_aliasing": False, "clip": True}
    result = np.empty((len(channels), *shape), channels.dtype)
    for channel, target in zip(channels.astype(float), result):
        if axis is None:
            target[:] = resize(channel, shape, **options)
            continue
        plane = [n for i, n in enumerate(shape) if i != axis]
        slices = [resize(part, plane, **options) for part in np.moveaxis(channel, axis, 0)]
        between = np.stack(slices, axis)
        if between.shape[axis] == shape[axis]:
            target[:] = between
            continue
        places = np.indices(shape, float)
        for places_along, old, new in zip(places, between.shape, shape):
            places_along += 0.5
            places_along *= old / new
            places_along -= 0.5
        target[:] = map_coordinates(between, places, order=0, mode="nearest")
    return result


def preprocess(image):
    filled = binary_fill_holes(image != 0)
    found = [np.flatnonzero(filled.any(tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    box = tuple(slice(each[0], each[-1] + 1) for each in found)
    ct = settings["ct"]
    image = np.clip(image[box], ct["low"], ct["high"])
    image = (image - np.float32(ct["mean"])) / np.float32(max(ct["deviation"], 1e-8))
    shape = [round(n * old / new) for n, old, new in zip(image.shape, coarse, fine)]
    return box, resample(image[None], shape, 3, thick_axis(coarse, fine))


def export(logits, box, whole):
    shape = [each.stop - each.start for each in box]
    labels = np.zeros(whole, np.uint8)
    labels[box] = resample(logits, shape, 1, thick_axis(fine, coarse)).argmax(0)
    return labels


class Clock:
    def __init__(self):
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def seconds(self):
        return {"cpu": time.process_time() - self.cpu, "wall": time.perf_counter() - self.wall}


networks = [
    PlainConvUNet(torch.load(path, map_location="cpu")["network_weights"]) for path in settings["checkpoints"]
]
image = np.fromfile(settings["image"], np.float32).reshape(settings["shape"])
whole = Clock()
with torch.no_grad():
    box, preprocessed = preprocess(image)
    clock = Clock()
    weights = gaussian()
    merged = sum(windows(network, preprocessed, weights) for network in networks) / len(networks)
    in_windows = clock.seconds()
    labels = export(merged.numpy(), box, image.shape)
result = {"windows": in_windows, "whole": whole.seconds()}
np.ascontiguousarray(merged.numpy()).tofile(settings["logits"])
labels.tofile(settings["labels"])
print(json.dumps(result))
