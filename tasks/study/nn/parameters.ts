/** Parameters of a DynUNet: MONAI's names and shapes, second names and initial values. */
import type { Triple } from "../arrays.ts";
import { createRandom } from "../random.ts";
import { checkSpec, type DynUNetSpec, encoderName, hasShortcutConvolution } from "./dynunet.ts";

export interface Parameter {
  readonly name: string;
  /** PyTorch's layout: convolutions (out, in, z, y, x), transposed convolutions (in, out, z, y, x). */
  readonly shape: readonly number[];
}

/** Values by parameter name. */
export type Weights = ReadonlyMap<string, Float32Array>;

/** The distinct parameters in the order of MONAI's state dict. */
export function parameters(spec: DynUNetSpec): Parameter[] {
  checkSpec(spec);
  const list: Parameter[] = [];
  const levels = spec.kernels.length;
  const norm = (name: string, channels: number) => {
    list.push({ name: `${name}.weight`, shape: [channels] }, { name: `${name}.bias`, shape: [channels] });
  };
  const block = (name: string, from: number, to: number, kernel: Triple, shortcut: boolean) => {
    list.push({ name: `${name}.conv1.conv.weight`, shape: [to, from, ...kernel] });
    list.push({ name: `${name}.conv2.conv.weight`, shape: [to, to, ...kernel] });
    norm(`${name}.norm1`, to);
    norm(`${name}.norm2`, to);
    if (!shortcut) return;
    list.push({ name: `${name}.conv3.conv.weight`, shape: [to, from, 1, 1, 1] });
    norm(`${name}.norm3`, to);
  };
  const output = (name: string, from: number) => {
    list.push({ name: `${name}.conv.conv.weight`, shape: [spec.outChannels, from, 1, 1, 1] });
    list.push({ name: `${name}.conv.conv.bias`, shape: [spec.outChannels] });
  };
  for (let level = 0; level < levels; level++) {
    const from = level === 0 ? spec.inChannels : spec.filters[level - 1]!;
    const shortcut = spec.residual && hasShortcutConvolution(spec, level);
    block(encoderName(level, levels), from, spec.filters[level]!, spec.kernels[level]!, shortcut);
  }
  for (let up = 0; up < levels - 1; up++) {
    const level = levels - 2 - up;
    const [to, from] = [spec.filters[level]!, spec.filters[level + 1]!];
    const name = `upsamples.${up}`;
    list.push({ name: `${name}.transp_conv.conv.weight`, shape: [from, to, ...spec.strides[level + 1]!] });
    if (spec.transposedBias) list.push({ name: `${name}.transp_conv.conv.bias`, shape: [to] });
    block(`${name}.conv_block`, 2 * to, to, spec.kernels[level + 1]!, false);
  }
  output("output_block", spec.filters[0]!);
  for (let head = 0; head < spec.heads; head++) {
    output(`deep_supervision_heads.${head}`, spec.filters[head + 1]!);
  }
  return list;
}

/** The second names under `skip_layers.` in MONAI's state dict, as a map from second name to name, in its order. */
export function aliases(spec: DynUNetSpec): Map<string, string> {
  const levels = spec.kernels.length;
  const names = parameters(spec).map((parameter) => parameter.name);
  const list = new Map<string, string>();
  const under = (alias: string, prefix: string) => {
    for (const name of names) {
      if (name.startsWith(`${prefix}.`)) list.set(`${alias}${name.slice(prefix.length)}`, name);
    }
  };
  const visit = (level: number, path: string) => {
    if (level === levels - 1) {
      under(path, "bottleneck");
      return;
    }
    under(`${path}.downsample`, encoderName(level, levels));
    visit(level + 1, `${path}.next_layer`);
    under(`${path}.upsample`, `upsamples.${levels - 2 - level}`);
    if (level >= 1 && level <= spec.heads) {
      under(`${path}.super_head`, `deep_supervision_heads.${level - 1}`);
    }
  };
  visit(0, "skip_layers");
  return list;
}

/**
 * Initial values: Kaiming-normal weights (fan-in, a = 0.01), biases 0, norms 1 and 0. Each parameter has its own
 * random stream, which depends on the seed and the parameter's name.
 */
export function initialise(spec: DynUNetSpec, seed: number | string): Map<string, Float32Array> {
  const random = createRandom(seed);
  return new Map(
    parameters(spec).map(({ name, shape }) => {
      const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
      if (shape.length === 5) {
        const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
        const deviation = Math.sqrt(2 / (1 + 0.01 ** 2) / fanIn);
        const stream = random.fork(name);
        for (let i = 0; i < values.length; i++) values[i] = deviation * stream.normal();
      } else if (name.endsWith(".weight")) {
        values.fill(1);
      }
      return [name, values];
    }),
  );
}
