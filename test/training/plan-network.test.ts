/** Expected plans: get_pool_and_conv_props of nnU-Net v2 (0e495086), worked out by hand for these shapes. */
import { expect, test } from "vitest";
import { planNetwork } from "../../tasks/study/training/plan-network.ts";

const filters = [32, 64, 128, 256, 320, 320];
const planning = { voxels: 48 * 192 * 192, filters, heads: 3, residual: true };

test("thick slices: kernels and strides of 1 along z until the voxels are nearly cubes", () => {
  // nnU-Net's plans for BTCV and AMOS, as in profiles/paper.yaml.
  const btcv = planNetwork({ spacing: [0.76, 0.76, 3], size: [512, 512, 48] }, planning);
  expect(btcv.network.kernels).toEqual([
    [1, 3, 3],
    [3, 3, 3],
    [3, 3, 3],
    [3, 3, 3],
    [3, 3, 3],
    [3, 3, 3],
  ]);
  expect(btcv.network.strides).toEqual([
    [1, 1, 1],
    [1, 2, 2],
    [2, 2, 2],
    [2, 2, 2],
    [2, 2, 2],
    [1, 2, 2],
  ]);
  expect(btcv.patch).toEqual([48, 192, 192]);
  expect(btcv.network).toMatchObject({ filters, heads: 3, residual: true });
  const amos = planNetwork({ spacing: [0.68, 0.68, 5], size: [224, 192, 40] }, planning);
  expect(amos.network.kernels).toEqual([
    [1, 3, 3],
    [1, 3, 3],
    [3, 3, 3],
    [3, 3, 3],
    [3, 3, 3],
    [3, 3, 3],
  ]);
  expect(amos.network.strides).toEqual([
    [1, 1, 1],
    [1, 2, 2],
    [1, 2, 2],
    [2, 2, 2],
    [2, 2, 2],
    [2, 2, 2],
  ]);
  expect(amos.patch).toEqual([40, 192, 224]);
});

test("cubes: every axis is halved while four voxels are left, and the patch is a cube", () => {
  const small = { voxels: 32 ** 3, filters, heads: 3, residual: false };
  const plan = planNetwork({ spacing: [1, 1, 1], size: [200, 200, 200] }, small);
  expect(plan.patch).toEqual([32, 32, 32]);
  expect(plan.network.strides).toEqual([
    [1, 1, 1],
    [2, 2, 2],
    [2, 2, 2],
    [2, 2, 2],
  ]);
  expect(plan.network).toMatchObject({ filters: [32, 64, 128, 256], heads: 2, residual: false });
});

test("a volume smaller than the patch: the patch is the volume, rounded to whole strides", () => {
  const plan = planNetwork(
    { spacing: [2.6, 2.6, 4], size: [14, 10, 8] },
    { ...planning, filters: [4, 8, 16] },
  );
  expect(plan.network.strides).toEqual([
    [1, 1, 1],
    [2, 2, 2],
    [1, 1, 1],
  ]);
  expect(plan.patch).toEqual([8, 10, 14]);
});

test("a patch is a multiple of the strides along each axis, whatever the shape", () => {
  for (let i = 0; i < 200; i++) {
    const of = (k: number, range: number) => 1 + ((i * 7919 + k * 104729) % range);
    const spacing = [of(1, 30) / 10, of(2, 30) / 10, of(3, 70) / 10] as const;
    const { patch, network } = planNetwork({ spacing, size: [of(4, 400), of(5, 400), of(6, 300)] }, planning);
    expect(network.strides).toHaveLength(network.kernels.length);
    expect(network.filters).toHaveLength(network.kernels.length);
    expect(network.kernels.length).toBeGreaterThanOrEqual(3);
    for (const axis of [0, 1, 2] as const) {
      const multiple = network.strides.reduce((product, stride) => product * stride[axis], 1);
      expect(patch[axis] % multiple).toBe(0);
      expect(patch[axis]).toBeGreaterThan(0);
    }
  }
});

test("voxels of exactly twice the length are not fine; an axis alone is halved from twelve voxels on", () => {
  const double = planNetwork(
    { spacing: [1, 1, 2], size: [64, 64, 64] },
    { ...planning, voxels: 32 * 64 * 64 },
  );
  expect(double.network.kernels.slice(0, 2)).toEqual([
    [1, 3, 3],
    [3, 3, 3],
  ]);
  expect(double.network.strides.slice(0, 2)).toEqual([
    [1, 1, 1],
    [1, 2, 2],
  ]);
  const strides = (length: number) => {
    const { network } = planNetwork({ spacing: [1, 1, 1], size: [length, 6, 6] }, planning);
    return network.strides.map((stride) => stride[2]);
  };
  expect(strides(12)).toEqual([1, 2, 1]);
  expect(strides(11)).toEqual([1, 1, 1]);
});
