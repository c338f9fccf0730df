"""nnU-Net's resampling of an image, timed for bench/resampling.ts: scikit-image's resize by cubic splines, in double
precision on one thread. Reads JSON from its first argument. Writes the image as float32 to the file `out`. Prints
{"cpu": seconds, "wall": seconds}, the least of `runs`."""

import json
import sys
import time

import numpy as np
from skimage.transform import resize

settings = json.loads(sys.argv[1])
image = np.fromfile(settings["image"], np.float32).reshape(settings["shape"])
times = []
for _ in range(settings["runs"]):
    cpu, wall = time.process_time(), time.perf_counter()
    resized = resize(image.astype(float), settings["newShape"], order=3, mode="edge", anti_aliasing=False, clip=True)
    times.append((time.process_time() - cpu, time.perf_counter() - wall))
resized.astype(np.float32).tofile(settings["out"])
print(json.dumps({"cpu": min(cpu for cpu, _ in times), "wall": min(wall for _, wall in times)}))
