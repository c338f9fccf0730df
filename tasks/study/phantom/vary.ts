/** Varies the mean anatomy from patient to patient: places, sizes, shapes and uptake of contrast medium. */
import type { Random } from "../random.ts";
import type { Structure } from "./anatomy.ts";
import { place, type Body, type Deformation, type Point } from "./shapes.ts";

/** Standard deviations between patients. */
const spread = {
  stature: 0.04,
  shift: 3.5,
  size: 0.05,
  turn: 0.05,
  bump: 0.045,
  hu: 4,
};

export interface Patient {
  /** Factors on the mean anatomy's millimetres along x, y, z. */
  readonly stature: Point;
  /** Hounsfield units of a structure at the patient's contrast. */
  hu(structure: Structure): number;
  /** The structure's shapes, in life-size millimetres before the factors of `stature`. */
  bodies(structure: Structure, grow: number): readonly Body[];
}

/** A patient. `contrast` is its share of full portal-venous enhancement. Equal generators give equal patients. */
export function createPatient(random: Random, contrast: number): Patient {
  const body = random.fork("stature");
  const factor = (): number => 1 + spread.stature * clipped(body);
  const stature: Point = [factor(), factor(), factor()];
  return {
    stature,
    hu(structure) {
      const noise = clipped(random.fork(`hu ${structure.name}`)) * spread.hu;
      return structure.hu + contrast * (structure.enhancement ?? 0) + noise;
    },
    bodies(structure, grow) {
      const own = structure.group ?? structure.name;
      const deformation = deform(random.fork(`place ${own}`), structure.upright === true);
      return structure.shapes.map((shape) => place(shape, deformation, grow));
    },
  };
}

function deform(random: Random, upright: boolean): Deformation {
  const three = (deviation: number): Point => [
    clipped(random) * deviation,
    clipped(random) * deviation,
    clipped(random) * deviation,
  ];
  const shift = three(spread.shift);
  const size = 1 + clipped(random) * spread.size;
  const turn = three(upright ? 0 : spread.turn);
  const bumps = [1, 2, 3].map(() => ({
    amplitude: clipped(random) * spread.bump,
    wave: [2.5 * clipped(random), 2.5 * clipped(random), 2.5 * clipped(random)] as const,
    phase: random.next() * 2 * Math.PI,
  }));
  return { shift, size, turn, bumps };
}

/** A standard normal number, clipped to ±2, so that a patient's parts stay together. */
function clipped(random: Random): number {
  return Math.max(-2, Math.min(2, random.normal()));
}
