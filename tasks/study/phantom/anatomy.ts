/**
 * The mean anatomy of a phantom, in the order of painting: a later structure covers an earlier one.
 *
 * Units are millimetres of a life-size adult in RAS+ axes: x to the patient's right, y to the front, z to the head.
 * z = 0 lies at the kidneys, the diaphragm near 150, the femoral heads near -215. Two things differ from life, so that
 * a small network can learn the organs on a coarse grid: small organs (adrenal glands, gallbladder, vessels,
 * esophagus) are larger, and Hounsfield units are further apart, also between the two sides of a pair.
 */
import type { Point, Shape } from "./shapes.ts";

export interface Structure {
  readonly name: string;
  readonly shapes: readonly Shape[];
  /** Hounsfield units without contrast medium. */
  readonly hu: number;
  /** Hounsfield units that the full portal-venous phase adds. */
  readonly enhancement?: number;
  /** All structures of a group move together from case to case. A structure without a group moves alone. */
  readonly group?: string;
  /** True for a structure that runs through the whole trunk: it is not turned. */
  readonly upright?: boolean;
}

const tube = (radius: number, ...line: Point[]): Shape => ({ kind: "tube", line, radius });
const ellipsoid = (centre: Point, half: Point): Shape => ({ kind: "ellipsoid", centre, half });
/** An elliptic cylinder through the whole trunk. */
const column = (x: number, y: number): Shape => ellipsoid([0, 0, 40], [x, y, 1200]);

/** The trunk's layers, from the skin inwards. */
export const trunk: readonly Structure[] = [
  { name: "skin_fat", shapes: [column(176, 122)], hu: -118, group: "trunk", upright: true },
  { name: "body_wall", shapes: [column(164, 110)], hu: 50, enhancement: 8, group: "trunk", upright: true },
  { name: "cavity_fat", shapes: [column(150, 96)], hu: -118, group: "trunk", upright: true },
];

/** The structures inside the trunk, in the order of painting. Names are TotalSegmentator's where it has one. */
// One line for each structure, as in a table.
// prettier-ignore
export const structures: readonly Structure[] = [
  { name: "autochthon_left", shapes: [ellipsoid([-38, -88, 40], [30, 18, 1200])], hu: 50, enhancement: 8, group: "spine", upright: true },
  { name: "autochthon_right", shapes: [ellipsoid([38, -88, 40], [30, 18, 1200])], hu: 50, enhancement: 8, group: "spine", upright: true },
  { name: "iliopsoas_left", shapes: [tube(19, [-40, -62, 20], [-50, -45, -120], [-85, 20, -250])], hu: 52, enhancement: 8, group: "spine" },
  { name: "iliopsoas_right", shapes: [tube(19, [40, -62, 20], [50, -45, -120], [85, 20, -250])], hu: 52, enhancement: 8, group: "spine" },
  { name: "vertebrae", shapes: [tube(23, [0, -78, 420], [0, -84, 240], [0, -76, 60], [0, -66, -60], [0, -84, -170])], hu: 400, group: "spine", upright: true },
  { name: "spinal_cord", shapes: [tube(8, [0, -102, 420], [0, -108, 240], [0, -100, 60], [0, -92, -60])], hu: 30, group: "spine", upright: true },
  { name: "hip_left", shapes: [tube(13, [-62, -80, -120], [-112, -35, -130], [-118, 0, -170]), tube(13, [-118, 0, -170], [-118, -5, -215], [-60, 10, -245])], hu: 140, group: "pelvis" },
  { name: "hip_right", shapes: [tube(13, [62, -80, -120], [112, -35, -130], [118, 0, -170]), tube(13, [118, 0, -170], [118, -5, -215], [60, 10, -245])], hu: 140, group: "pelvis" },
  { name: "lung_left", shapes: [ellipsoid([-84, -8, 220], [60, 80, 118])], hu: -810 },
  { name: "lung_right", shapes: [ellipsoid([84, -8, 220], [60, 80, 112])], hu: -810 },
  { name: "mediastinum", shapes: [ellipsoid([0, -5, 250], [34, 74, 140])], hu: -60, group: "heart" },
  { name: "heart", shapes: [ellipsoid([-22, 24, 192], [62, 52, 54])], hu: 45, enhancement: 87, group: "heart" },
  { name: "liver", shapes: [ellipsoid([70, 6, 100], [72, 74, 64]), ellipsoid([10, 45, 112], [52, 32, 34])], hu: 62, enhancement: 56 },
  { name: "spleen", shapes: [ellipsoid([-112, -38, 92], [37, 49, 54])], hu: 54, enhancement: 92 },
  { name: "stomach", shapes: [ellipsoid([-66, 42, 96], [51, 42, 51]), tube(24, [-66, 45, 70], [-20, 58, 52])], hu: 2 },
  { name: "small_bowel", shapes: [ellipsoid([-2, 36, -75], [82, 46, 62])], hu: 36 },
  { name: "colon", shapes: [tube(23, [112, -8, -120], [116, -5, 10], [108, 48, 14], [40, 62, -5], [-50, 62, 5], [-110, 40, 38]), tube(22, [-116, 20, 30], [-118, -20, -20], [-112, -12, -120], [-60, -15, -165], [-10, -42, -160])], hu: -170 },
  { name: "kidney_right", shapes: [ellipsoid([84, -52, -6], [37, 35, 58])], hu: 36, enhancement: 126 },
  { name: "kidney_left", shapes: [ellipsoid([-82, -54, 2], [37, 35, 58])], hu: 42, enhancement: 154 },
  { name: "adrenal_gland_right", shapes: [ellipsoid([60, -60, 84], [30, 28, 39])], hu: 74, enhancement: 30 },
  { name: "adrenal_gland_left", shapes: [ellipsoid([-58, -58, 84], [30, 28, 39])], hu: 18, enhancement: 2 },
  { name: "urinary_bladder", shapes: [ellipsoid([0, 45, -188], [50, 38, 36])], hu: -20 },
  { name: "prostate", shapes: [ellipsoid([0, 22, -232], [35, 32, 29])], hu: 56, enhancement: 24 },
  { name: "rectum", shapes: [tube(24, [0, -48, -165], [0, -48, -205], [0, -34, -255])], hu: -85 },
  { name: "femoral_head_left", shapes: [ellipsoid([-92, 4, -215], [32, 32, 32])], hu: 186, group: "femur_left" },
  { name: "femoral_head_right", shapes: [ellipsoid([92, 4, -215], [32, 32, 32])], hu: 222, group: "femur_right" },
  { name: "femur_shaft_left", shapes: [tube(22, [-112, -4, -232], [-128, -8, -262], [-130, -4, -340])], hu: 420, group: "femur_left" },
  { name: "femur_shaft_right", shapes: [tube(22, [112, -4, -232], [128, -8, -262], [130, -4, -340])], hu: 420, group: "femur_right" },
  { name: "duodenum", shapes: [tube(20, [18, 44, 44], [54, 32, 34], [64, 4, 2], [50, 4, -34], [4, -6, -42])], hu: -60 },
  { name: "pancreas", shapes: [tube(23, [-84, 2, 78], [-40, 10, 52], [5, 16, 38], [34, 14, 18])], hu: 36, enhancement: 32 },
  { name: "gallbladder", shapes: [ellipsoid([66, 60, 38], [30, 29, 40])], hu: -38 },
  { name: "esophagus", shapes: [tube(21, [4, -42, 420], [4, -42, 240], [-6, -36, 165], [-36, 8, 124])], hu: 74, enhancement: 18 },
  { name: "inferior_vena_cava", shapes: [tube(20, [26, -36, -125], [27, -38, 60], [30, -30, 150], [24, -12, 175])], hu: 40, enhancement: 138 },
  { name: "portal_vein_and_splenic_vein", shapes: [tube(17, [-88, -28, 82], [-40, -20, 62], [0, -14, 56], [24, -2, 70], [56, 4, 100])], hu: 44, enhancement: 170 },
  { name: "aorta", shapes: [tube(20, [-14, -38, -110], [-15, -46, 60], [-30, -56, 150], [-32, -60, 255], [-27, -42, 288], [-14, -12, 302], [16, 12, 282], [18, 14, 232])], hu: 44, enhancement: 190 },
  { name: "trachea", shapes: [tube(19, [8, -18, 420], [8, -18, 262], [36, -22, 232]), tube(16, [8, -18, 262], [-28, -22, 232])], hu: -960, group: "heart" },
];
