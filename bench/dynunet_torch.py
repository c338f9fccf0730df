"""Times a training step in PyTorch eager for bench/training.ts and bench/gpu.ts: a DynUNet like MONAI's, Dice +
cross-entropy, AdamW. Reads the network as JSON from its first argument, with `device` (default cpu) and `precision`
(default fp32). Prints {"steps": [CPU milliseconds], "wall": [milliseconds], "memory": MiB, "device": MiB on it}."""

import json
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

settings = json.loads(sys.argv[1])
torch.set_num_threads(settings["threads"])
torch.manual_seed(1)
device, precision = settings.get("device", "cpu"), settings.get("precision", "fp32")
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "fp32"
torch.backends.cudnn.benchmark = precision != "fp32"
kernels, strides, filters = settings["kernels"], settings["strides"], settings["filters"]
levels = len(filters)


def convolution(before, after, kernel, stride=(1, 1, 1), bias=False):
    padding = [(k - s + 1) // 2 for k, s in zip(kernel, stride)]
    return nn.Conv3d(before, after, kernel, stride, padding, bias=bias)


class Block(nn.Module):
    def __init__(self, before, after, kernel, stride, residual):
        super().__init__()
        self.conv1 = convolution(before, after, kernel, stride)
        self.conv2 = convolution(after, after, kernel)
        self.norm1 = nn.InstanceNorm3d(after, affine=True)
        self.norm2 = nn.InstanceNorm3d(after, affine=True)
        self.residual = residual
        if residual and (before != after or any(s != 1 for s in stride)):
            self.conv3 = convolution(before, after, [1, 1, 1], stride)
            self.norm3 = nn.InstanceNorm3d(after, affine=True)
        self.act = nn.LeakyReLU(0.01, inplace=True)

    def forward(self, x):
        y = self.act(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        if self.residual:
            y += self.norm3(self.conv3(x)) if hasattr(self, "conv3") else x
        return self.act(y)


class DynUNet(nn.Module):
    def __init__(self):
        super().__init__()
        before = [settings["inChannels"], *filters]
        residual, classes = settings["residual"], settings["outChannels"]
        self.down = nn.ModuleList(
            Block(before[i], filters[i], kernels[i], strides[i], residual) for i in range(levels)
        )
        ups = range(levels - 2, -1, -1)
        self.transposed = nn.ModuleList(
            nn.ConvTranspose3d(filters[i + 1], filters[i], strides[i + 1], strides[i + 1], bias=False) for i in ups
        )
        self.up = nn.ModuleList(Block(2 * filters[i], filters[i], kernels[i + 1], [1, 1, 1], False) for i in ups)
        self.output = convolution(filters[0], classes, [1, 1, 1], bias=True)
        self.heads = nn.ModuleList(
            convolution(filters[i + 1], classes, [1, 1, 1], bias=True) for i in range(settings["heads"])
        )

    def forward(self, x):
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        outputs = []
        for i, (transposed, block) in enumerate(zip(self.transposed, self.up)):
            level = levels - 2 - i
            x = block(torch.cat([transposed(x), skips[level]], 1))
            if 1 <= level <= len(self.heads):
                outputs.insert(0, self.heads[level - 1](x))
        return [self.output(x), *outputs]


def dice_cross_entropy(logits, labels):
    cross_entropy = F.cross_entropy(logits, labels)
    p = torch.softmax(logits, 1)
    target = F.one_hot(labels, logits.shape[1]).movedim(-1, 1).to(p.dtype)
    p, target = p[:, 1:], target[:, 1:]
    axes = [2, 3, 4]
    overlap = (p * target).sum(axes)
    dice = 1 - (2 * overlap + 1e-5) / (p.sum(axes) + target.sum(axes) + 1e-5)
    return dice.mean() + cross_entropy


network = DynUNet().to(device)
optimizer = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=1e-2)
size = [settings["batch"], settings["inChannels"], *settings["patch"]]
images = torch.randn(size).to(device)
labels = torch.randint(settings["outChannels"], [size[0], *size[2:]]).to(device)
weights = [0.5**i for i in range(1 + settings["heads"])]
steps, wall = [], []
for _ in range(settings["steps"]):
    begin, started = time.process_time(), time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast(device, dtype=torch.bfloat16, enabled=precision == "amp"):
        outputs = network(images)
    total = 0
    for weight, output in zip(weights, outputs):
        total = total + weight / sum(weights) * dice_cross_entropy(F.interpolate(output.float(), size[2:]), labels)
    total.backward()
    optimizer.step()
    total.item()
    steps.append(1000 * (time.process_time() - begin))
    wall.append(1000 * (time.perf_counter() - started))
on_device = torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else 0
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"steps": steps, "wall": wall, "memory": memory, "device": on_device}))
