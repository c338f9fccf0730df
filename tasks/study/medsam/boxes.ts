/** Boxes around labels, the prompts of MedSAM. What the publications leave open is a setting. */
import { z } from "zod";
import type { Random } from "../random.ts";
import { connectedParts, withoutSmallParts } from "../components.ts";

export const boxSettings = z.strictObject({
  /** In each slice: one box around a whole label, or one around each connected part of it (8 neighbours). */
  per: z.enum(["label", "part"]).default("label"),
  /** Pixels by which each side moves outwards, in pixels of the encoder's input (1024 wide in MedSAM). */
  shift: z.number().nonnegative().default(0),
  /** Greatest additional random shift of each side in whole pixels; `seed` fixes the random numbers. */
  jitter: z.int().nonnegative().default(0),
  seed: z.int().default(1),
  /** In a slice, parts of a label with fewer pixels get no box. */
  least_pixels: z.int().nonnegative().default(0),
  /** In the volume, parts of a label with fewer voxels get no boxes. */
  least_voxels: z.int().nonnegative().default(0),
});
export type BoxSettings = z.infer<typeof boxSettings>;

export interface Prompt {
  readonly label: number;
  /** x_min, y_min, x_max, y_max in pixels of the slice, maxima inclusive. */
  readonly box: readonly [number, number, number, number];
}

/** The prompts of one slice (height × width), sorted by label. */
export function promptsOf(
  slice: Uint8Array | Uint16Array,
  height: number,
  width: number,
  { per, least_pixels }: Pick<BoxSettings, "per" | "least_pixels">,
): Prompt[] {
  const shape = [1, height, width] as const;
  const labels = withoutSmallParts(slice, shape, least_pixels);
  const groups = per === "part" ? connectedParts(labels, shape).parts : labels;
  const found = new Map<number, { label: number; box: [number, number, number, number] }>();
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] === 0) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    const known = found.get(groups[i]!);
    if (known === undefined) {
      found.set(groups[i]!, { label: labels[i]!, box: [x, y, x, y] });
      continue;
    }
    const { box } = known;
    box[0] = Math.min(box[0], x);
    box[2] = Math.max(box[2], x);
    box[3] = y;
  }
  return [...found.values()].sort((a, b) => a.label - b.label);
}

/** The box (x0, y0, x1, y1) in pixels of the encoder's input, enlarged as the settings say and cut at the border. */
export function modelBox(
  { box }: Prompt,
  height: number,
  width: number,
  size: number,
  { shift, jitter }: Pick<BoxSettings, "shift" | "jitter">,
  random: Random,
): [number, number, number, number] {
  const outwards = () => shift + (jitter > 0 ? random.int(jitter + 1) : 0);
  return [
    Math.max(0, (box[0] / width) * size - outwards()),
    Math.max(0, (box[1] / height) * size - outwards()),
    Math.min(size, (box[2] / width) * size + outwards()),
    Math.min(size, (box[3] / height) * size + outwards()),
  ];
}
