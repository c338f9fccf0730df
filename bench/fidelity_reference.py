"""Computes results of random networks, arrays and windows with torch, scikit-image and scipy for bench/fidelity.ts.
Reads {"folder", "seed", "count"} as JSON from its first argument. Writes arrays and model folders of nnU-Net v2 to the
folder. Prints a list of them as JSON."""

import itertools
import json
import pathlib
import random
import sys

import numpy as np
import torch
from scipy.ndimage import gaussian_filter, map_coordinates, zoom
from skimage.transform import resize
from torch import nn

settings = json.loads(sys.argv[1])
folder = pathlib.Path(settings["folder"])
draw = random.Random(settings["seed"])
numbers = np.random.default_rng(settings["seed"])
torch.manual_seed(settings["seed"])


def save(name, array):
    np.ascontiguousarray(array).tofile(folder / name)
    return name


# ---- networks, with the names and the doubled registrations of nnU-Net's modules


class Conv(nn.Module):
    def __init__(self, a, channels, width, kernel, stride=1, bias=None, active=True):
        super().__init__()
        padding = [k // 2 for k in kernel]
        self.conv = nn.Conv3d(channels, width, kernel, stride, padding, bias=a["bias"] if bias is None else bias)
        layers = [self.conv]
        if a["dropout"] and active:
            self.dropout = nn.Dropout3d(0.2)
            layers.append(self.dropout)
        self.norm = nn.InstanceNorm3d(width, eps=a["eps"], affine=True)
        layers.append(self.norm)
        if active:
            self.nonlin = nn.LeakyReLU(a["slope"]) if a["slope"] else nn.ReLU()
            layers.append(self.nonlin)
        self.all_modules = nn.Sequential(*layers)

    def forward(self, x):
        return self.all_modules(x)


class Stack(nn.Module):
    def __init__(self, a, count, channels, width, kernel, stride=1):
        super().__init__()
        first = Conv(a, channels, width, kernel, stride)
        self.convs = nn.Sequential(first, *(Conv(a, width, width, kernel) for _ in range(count - 1)))

    def forward(self, x):
        return self.convs(x)


class Residual(nn.Module):
    def __init__(self, a, channels, width, kernel, stride):
        super().__init__()
        self.conv1 = Conv(a, channels, width, kernel, stride)
        self.conv2 = Conv(a, width, width, kernel, active=False)
        self.nonlin2 = nn.LeakyReLU(a["slope"]) if a["slope"] else nn.ReLU()
        ops = [nn.AvgPool3d(stride, stride)] if max(stride) > 1 else []
        if channels != width:
            ops.append(Conv(a, channels, width, [1, 1, 1], bias=False, active=False))
        self.skip = nn.Sequential(*ops)

    def forward(self, x):
        return self.nonlin2(self.conv2(self.conv1(x)) + self.skip(x))


class ResidualStage(nn.Module):
    def __init__(self, a, count, channels, width, kernel, stride):
        super().__init__()
        first = Residual(a, channels, width, kernel, stride)
        self.blocks = nn.Sequential(first, *(Residual(a, width, width, kernel, [1, 1, 1]) for _ in range(count - 1)))

    def forward(self, x):
        return self.blocks(x)


class Encoder(nn.Module):
    def __init__(self, a):
        super().__init__()
        width = a["channels"]
        self.stem = None
        if a["residual"]:
            self.stem = Stack(a, 1, width, a["features"][0], a["kernels"][0])
            width = a["features"][0]
        stages = []
        for level in zip(a["blocks"], a["features"], a["kernels"], a["strides"]):
            count, features, kernel, stride = level
            if a["residual"]:
                stages.append(ResidualStage(a, count, width, features, kernel, stride))
            else:
                stages.append(nn.Sequential(Stack(a, count, width, features, kernel, stride)))
            width = features
        self.stages = nn.Sequential(*stages)

    def forward(self, x):
        x = self.stem(x) if self.stem else x
        skips = []
        for stage in self.stages:
            x = stage(x)
            skips.append(x)
        return skips


class Decoder(nn.Module):
    def __init__(self, a, encoder):
        super().__init__()
        self.encoder = encoder
        ups, stages, heads = [], [], []
        for level in reversed(range(len(a["features"]) - 1)):
            below, width, stride = a["features"][level + 1], a["features"][level], a["strides"][level + 1]
            ups.append(nn.ConvTranspose3d(below, width, stride, stride, bias=a["bias"]))
            count = a["decoder_blocks"][len(stages)]
            stages.append(Stack(a, count, 2 * width, width, a["kernels"][level]))
            heads.append(nn.Conv3d(width, a["heads"], 1))
        self.stages, self.transpconvs = nn.ModuleList(stages), nn.ModuleList(ups)
        self.seg_layers = nn.ModuleList(heads)

    def forward(self, skips):
        x = skips[-1]
        for i, (up, stage) in enumerate(zip(self.transpconvs, self.stages)):
            x = stage(torch.cat([up(x), skips[-2 - i]], 1))
        return self.seg_layers[-1](x)


class Network(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.encoder = Encoder(a)
        self.decoder = Decoder(a, self.encoder)

    def forward(self, x):
        return self.decoder(self.encoder(x))


def network_case(index):
    levels = draw.randint(2, 4)
    strides = [[1, 1, 1], *([draw.choice([1, 2, 2]) for _ in range(3)] for _ in range(levels - 1))]
    if draw.random() < 0.2:
        strides[1] = [3, 2, 1]
    a = {
        "residual": draw.random() < 0.5,
        "channels": draw.choice([1, 1, 2, 3]),
        "heads": draw.randint(2, 9),
        "features": sorted(draw.randint(3, 40) for _ in range(levels)),
        "kernels": [[draw.choice([1, 3, 3, 3, 5]) for _ in range(3)] for _ in range(levels)],
        "strides": strides,
        "blocks": [draw.randint(1, 3) for _ in range(levels)],
        "decoder_blocks": [draw.randint(1, 3) for _ in range(levels - 1)],
        "bias": draw.random() < 0.5,
        "eps": draw.choice([1e-5, 1e-3]),
        "slope": draw.choice([0, 0.01, 0.2]),
        "dropout": draw.random() < 0.3,
    }
    patch = [int(np.prod([stride[axis] for stride in strides])) * draw.randint(2, 4) for axis in range(3)]
    network = Network(a).eval()
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight.normal_(1 if name.endswith("norm.weight") else 0, 0.3)
        for module in network.modules():
            if isinstance(module, (nn.Conv3d, nn.ConvTranspose3d)):
                module.weight.normal_(0, (2 / module.weight[0].numel()) ** 0.5)
        # The mean is large compared with the deviation, as in a CT padded with air.
        image = torch.randn(1, a["channels"], *patch) + draw.choice([0, 0, 30])
        logits = network(image)
    kind = "ResidualEncoderUNet" if a["residual"] else "PlainConvUNet"
    architecture = {
        "network_class_name": f"dynamic_network_architectures.architectures.unet.{kind}",
        "arch_kwargs": {
            "n_stages": levels,
            "features_per_stage": a["features"],
            "conv_op": "torch.nn.modules.conv.Conv3d",
            "kernel_sizes": a["kernels"],
            "strides": strides,
            "n_blocks_per_stage" if a["residual"] else "n_conv_per_stage": a["blocks"],
            "n_conv_per_stage_decoder": a["decoder_blocks"],
            "conv_bias": a["bias"],
            "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
            "norm_op_kwargs": {"eps": a["eps"], "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU" if a["slope"] else "torch.nn.ReLU",
            "nonlin_kwargs": {"inplace": True, **({"negative_slope": a["slope"]} if a["slope"] else {})},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }
    configuration = {
        "patch_size": patch,
        "spacing": [1.0, 1.0, 1.0],
        "normalization_schemes": ["ZScoreNormalization"] * a["channels"],
        "use_mask_for_norm": [False] * a["channels"],
        "architecture": architecture,
    }
    for role, order in [("data", 3), ("probabilities", 1)]:
        configuration[f"resampling_fn_{role}"] = "resample_data_or_seg_to_shape"
        configuration[f"resampling_fn_{role}_kwargs"] = {"order": order, "order_z": 0, "force_separate_z": None}
    plans = {
        "dataset_name": f"Random{index}",
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "configurations": {"3d_fullres": configuration},
    }
    dataset = {
        "channel_names": {str(i): "other" for i in range(a["channels"])},
        "labels": {"background": 0, **{f"label{i}": i for i in range(1, a["heads"])}},
        "file_ending": ".nii.gz",
    }
    model = folder / f"network{index}" / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    (model / "fold_0").mkdir(parents=True)
    (model / "plans.json").write_text(json.dumps(plans))
    (model / "dataset.json").write_text(json.dumps(dataset))
    prefix = draw.choice(["", "module.", "_orig_mod."])
    weights = {prefix + name: value for name, value in network.state_dict().items()}
    torch.save({"network_weights": weights, "init_args": {}}, model / "fold_0/checkpoint_final.pth")
    return {
        "model": f"network{index}",
        "shape": list(image.shape),
        "about": {k: v for k, v in a.items()},
        "image": save(f"network{index}.image", image.numpy()),
        "logits": save(f"network{index}.logits", logits.numpy()),
    }


# ---- resampling


def resized(array, shape, order):
    if list(array.shape) == list(shape):
        return array
    return resize(array, shape, order=order, mode="edge", anti_aliasing=False, clip=True)


def separately(array, shape, order, axis):
    """Resizes the slices across the axis one by one, then takes the nearest slice."""
    plane = [n for i, n in enumerate(shape) if i != axis]
    between = np.stack([resized(part, plane, order) for part in np.moveaxis(array, axis, 0)], axis)
    if between.shape[axis] == shape[axis]:
        return between
    places = [(np.arange(n) + 0.5) * old / n - 0.5 for n, old in zip(shape, between.shape)]
    return map_coordinates(between, np.meshgrid(*places, indexing="ij"), order=0, mode="nearest")


def resampling_case(index):
    shape = [draw.choice([1, 2, 3, draw.randint(4, 30)]) for _ in range(3)]
    new = [max(1, round(n * draw.choice([1, draw.uniform(0.3, 1), draw.uniform(1, 3)]))) for n in shape]
    axis = draw.choice([None, None, 0, 1, 2])

    def make(array, order):
        return resized(array, new, order) if axis is None else separately(array, new, order, axis)

    image = (numbers.normal(0, 400, shape)).astype(np.float32)
    labels = numbers.integers(0, 4, shape).astype(np.uint8)
    resampled = np.zeros(new, np.uint8)
    for label in range(4):
        resampled[make((labels == label).astype(float), 1) >= 0.5] = label
    factors = [n / old for n, old in zip(new, shape)]
    corners = {
        f"corners{order}": save(f"array{index}.corners{order}", zoom(image.astype(float), factors, order=order, mode="nearest"))
        for order in (1, 3)
    }
    return {
        "shape": shape,
        "newShape": new,
        "separate": axis,
        "image": save(f"array{index}.image", image),
        "cubic": save(f"array{index}.cubic", make(image.astype(float), 3)),
        "linear": save(f"array{index}.linear", make(image.astype(float), 1)),
        "labels": save(f"array{index}.labels", labels),
        "newLabels": save(f"array{index}.newlabels", resampled),
        **corners,
    }


# ---- windows


def starts(size, length, step):
    count = int(np.ceil((size - length) / (length * step))) + 1
    stride = (size - length) / (count - 1) if count > 1 else 0
    return [int(np.round(stride * i)) for i in range(count)]


def window_case(index):
    patch = [draw.randint(4, 16) for _ in range(3)]
    shape = [draw.choice([n - 3, n - 2, n - 1, n, n + 1, draw.randint(n, 3 * n)]) for n in patch]
    shape = [max(1, n) for n in shape]
    step = draw.choice([0.3, 0.5, 0.8, 1])
    mirror = draw.choice([[], [0], [1, 2], [0, 1, 2]])
    peak = draw.choice([10, 1])
    image = numbers.normal(0, 1, shape).astype(np.float32)
    # The output depends on the position in the window, so that an error of any start, weight or mirroring shows.
    ramp = np.linspace(0, 1, int(np.prod(patch)), dtype=np.float32).reshape(patch)
    network = [lambda x: x + ramp, lambda x: x * ramp]
    point = np.zeros(patch)
    point[tuple(n // 2 for n in patch)] = 1
    weights = gaussian_filter(point, [n / 8 for n in patch], mode="constant", cval=0)
    weights = (weights / weights.max() * peak).astype(np.float32)
    weights[weights == 0] = weights[weights > 0].min()
    pads = [((p - n) // 2, p - n - (p - n) // 2) if n < p else (0, 0) for n, p in zip(shape, patch)]
    padded = np.pad(image, pads)
    heads, total = np.zeros((2, *padded.shape)), np.zeros(padded.shape)
    turns = [axes for n in range(len(mirror) + 1) for axes in itertools.combinations(mirror, n)]
    for corner in itertools.product(*(starts(n, p, step) for n, p in zip(padded.shape, patch))):
        window = tuple(slice(at, at + n) for at, n in zip(corner, patch))
        for k, predict in enumerate(network):
            mean = sum(np.flip(predict(np.flip(padded[window], axes)), axes) for axes in turns) / len(turns)
            heads[(k, *window)] += mean * weights
        total[window] += weights
    inside = tuple(slice(low, n - high) for n, (low, high) in zip(padded.shape, pads))
    return {
        **{"patch": patch, "shape": shape, "step": step, "mirrorAxes": mirror, "weights": peak},
        "image": save(f"windows{index}.image", image),
        "merged": save(f"windows{index}.merged", (heads / total)[(slice(None), *inside)].astype(np.float32)),
    }


count = settings["count"]
made = {
    "networks": [network_case(i) for i in range(count)],
    "resamplings": [resampling_case(i) for i in range(10 * count)],
    "windows": [window_case(i) for i in range(3 * count)],
}
print(json.dumps(made))
