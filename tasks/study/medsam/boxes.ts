/** Boxes around labels, MedSAM's prompts. Where publications are silent, what is done is a setting. */
import { z } from "zod";
import type { Random } from "../random.ts";
import { connectedParts, withoutSmallParts } from "./components.ts";

export const boxSettings = z.strictObject({
  /** One box around all of a label in a slice, or one around each of its connected parts (8 neighbours). */
  per: z.enum(["label", "part"]).default("label"),
  /** Every side is moved outwards by so many pixels of the encoder's input (1024 wide in MedSAM). */
  shift: z.number().nonnegative().default(0),
  /** And by up to so many more, whole pixels, drawn for each side from `seed`. */
  jitter: z.int().nonnegative().default(0),
  seed: z.int().default(1),
  /** Parts of a label in a slice of fewer pixels get no box. */
  least_pixels: z.int().nonnegative().default(0),
  /** Parts of a label in the volume of fewer voxels get no boxes. */
  least_voxels: z.int().nonnegative().default(0),
});
export type BoxSettings = z.infer<typeof boxSettings>;

export interface Prompt {
  readonly label: number;
  /** x_min, y_min, x_max, y_max in pixels of the slice, maxima inclusive. */
  readonly box: readonly [number, number, number, number];
}

/** The prompts of one slice (height × width), by ascending label. */
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

/** The box in pixels of the encoder's input, (x0, y0, x1, y1), moved outwards as the settings say. */
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
