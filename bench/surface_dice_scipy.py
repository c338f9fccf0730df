"""Dice and Surface Dice label by label with numpy and scipy, timed for bench/metrics.ts. The steps are those of
google-deepmind/surface-distance (box of both masks, neighbour codes, distance transforms, sorted distances).

Reads its work as JSON from the first argument. Prints {"seconds": CPU seconds of the quickest run, "scores": …}."""

import json
import sys
import time

import numpy as np
from scipy import ndimage

work = json.loads(sys.argv[1])
spacing, tolerance = work["spacing"], work["tolerance"]
areas = np.array(work["areas"])
reference, prediction = (
    np.fromfile(path, np.uint8).reshape(work["size"], order="F") for path in work["files"]
)
BITS = np.array([[[128, 64], [32, 16]], [[8, 4], [2, 1]]])


def score(label):
    a, b = reference == label, prediction == label
    total = a.sum() + b.sum()
    if total == 0:
        return None
    dice = 2 * (a & b).sum() / total
    box = ndimage.find_objects((a | b).astype(np.uint8))[0]
    a, b = (np.pad(mask[box], [(0, 1)] * 3).astype(np.uint8) for mask in (a, b))
    surface_a, surface_b = surface(a), surface(b)
    near = measure(surface_a, surface_b) + measure(surface_b, surface_a)
    return [dice, near / (surface_a[1].sum() + surface_b[1].sum())]


def surface(mask):
    codes = ndimage.correlate(mask, BITS, mode="constant", cval=0)
    border = (codes != 0) & (codes != 255)
    return border, areas[codes[border]]


def measure(own, other):
    distances = ndimage.distance_transform_edt(~other[0], sampling=spacing)[own[0]]
    order = np.argsort(distances)
    return own[1][order][distances[order] <= tolerance].sum()


times = []
for _ in range(work["runs"]):
    start = time.process_time()
    scores = {str(label): score(label) for label in work["labels"]}
    times.append(time.process_time() - start)
print(json.dumps({"seconds": min(times), "scores": scores}))
