/**
 * Time of a training step and of making its session, on one thread, for the demo's networks and for a 32³ patch
 * at widths 16/32/64. Bundle and run:
 *
 *     npx esbuild bench/training.ts --bundle --platform=node --format=esm --packages=external --outfile=cache/bench.mjs
 *     node cache/bench.mjs
 */
import { createRandom } from "../tasks/lib/random.ts";
import type { DynUNetSpec, Triple } from "../tasks/lib/nn/dynunet.ts";
import { initialise } from "../tasks/lib/nn/parameters.ts";
import { createTrainer } from "../tasks/lib/nn/trainer.ts";

const cube: Triple = [3, 3, 3];
const flat: Triple = [1, 3, 3];
const one: Triple = [1, 1, 1];
const half: Triple = [2, 2, 2];
const halfPlane: Triple = [1, 2, 2];

function spec(filters: number[], kernels: Triple[], strides: Triple[], outChannels: number): DynUNetSpec {
  const rest = { heads: 0, residual: false, transposedBias: false };
  return { inChannels: 1, outChannels, filters, kernels, strides, ...rest };
}

const cases: [string, DynUNetSpec, number, Triple][] = [
  ["32³ 16/32/64", spec([16, 32, 64], [cube, cube, cube], [one, half, half], 14), 1, [32, 32, 32]],
  ["32³ 16/32/64, 2 classes", spec([16, 32, 64], [cube, cube, cube], [one, half, half], 2), 1, [32, 32, 32]],
  ["16×24×24 6/12/24", spec([6, 12, 24], [cube, cube, cube], [one, half, half], 14), 1, [16, 24, 24]],
  ["16×24×24 8/16/32", spec([8, 16, 32], [cube, cube, cube], [one, half, half], 14), 1, [16, 24, 24]],
  ["same, batch 2", spec([8, 16, 32], [cube, cube, cube], [one, half, half], 14), 2, [16, 24, 24]],
  ["16×32×32 8/16/32", spec([8, 16, 32], [cube, cube, cube], [one, half, half], 14), 1, [16, 32, 32]],
  [
    "16×32×32 8/16/32, flat",
    spec([8, 16, 32], [flat, cube, cube], [one, halfPlane, half], 14),
    1,
    [16, 32, 32],
  ],
  ["24×32×32 8/16/32", spec([8, 16, 32], [cube, cube, cube], [one, half, half], 14), 1, [24, 32, 32]],
  ["1×64×64 8/16/32", spec([8, 16, 32], [flat, flat, flat], [one, halfPlane, halfPlane], 2), 4, [1, 64, 64]],
];

console.log("network, patch, batch                    session ms   step ms (median)   (least)");
for (const [name, network, batch, patch] of cases) {
  const random = createRandom(name);
  const voxels = batch * patch[0] * patch[1] * patch[2];
  const images = Float32Array.from({ length: voxels }, () => random.normal());
  const labels = Uint8Array.from({ length: voxels }, () => random.int(network.outChannels));
  const start = performance.now();
  const trainer = await createTrainer({ spec: network, batch, patch, weights: initialise(network, 1) });
  const session = performance.now() - start;
  const times: number[] = [];
  const end = performance.now() + 2000;
  while (performance.now() < end || times.length < 5) {
    const begin = performance.now();
    await trainer.step(images, labels, 1e-3);
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  console.log(
    `${name.padEnd(38)}${session.toFixed(0).padStart(10)}` +
      `${times[times.length >> 1]!.toFixed(1).padStart(19)}${times[0]!.toFixed(1).padStart(10)}`,
  );
  await trainer.dispose();
}
