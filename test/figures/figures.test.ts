import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "fast-png";
import { describe, expect, it } from "vitest";
import type { Shape } from "../../tasks/study/figures/drawing.ts";
import { outlineOf } from "../../tasks/study/figures/outline.ts";
import { pngOf } from "../../tasks/study/figures/png.ts";
import { drawQualitative, type Qualitative } from "../../tasks/study/figures/qualitative.ts";
import { drawScatter } from "../../tasks/study/figures/scatter.ts";
import { svgOf } from "../../tasks/study/figures/svg.ts";
import { FORMATS, writeFigure } from "../../tasks/study/figures/write.ts";
import { testFolder } from "../helpers/folder.ts";
import { labelColour, seriesStyle } from "../../tasks/study/figures/palette.ts";

const grid = { size: [4, 3, 2], spacing: [10, 20, 5], affine: [] } as const;

describe("qualitative figure", () => {
  const image = { ...grid, data: Float32Array.from({ length: 24 }, (_, i) => i) };
  const labels = { ...grid, data: new Uint8Array(24) };
  labels.data[12] = 7; // first voxel of the upper axial slice: on the patient's left, posterior
  const figure: Qualitative = {
    title: "Labels of every version",
    notice: "Synthetic",
    cases: [{ name: "BTCV 0001", image, versions: [{ name: "Base", labels }] }],
    planes: ["axial"],
    window: [0, 24],
    organs: [{ name: "liver", id: 7 }],
    labels: "filled",
  };

  it("fills the voxel's place with the organ's colour, anterior up and the patient's right on the left", async () => {
    const drawing = await drawQualitative(figure);
    const [area] = drawing.shapes.filter((shape) => shape.kind === "path" && shape.opacity !== undefined);
    // A panel is 205 wide and 4 voxels of 10 mm across; a voxel is twice as high as wide.
    const [column, row] = [205 / 4, 205 / 2];
    expect(area).toMatchObject({ fill: labelColour(0) });
    expect(numbersOf(area)).toEqual(
      [...[3 * column, 2 * row, 4 * column, 2 * row], ...[4 * column, 3 * row, 3 * column, 3 * row]].map(
        (value) => Number(value.toFixed(2)),
      ),
    );
  });

  it("names case, plane, slice, panels, edges and scale, and the notice", async () => {
    const { shapes } = await drawQualitative({ ...figure, planes: ["axial", "sagittal"] });
    expect(shapes.flatMap((shape) => (shape.kind === "text" ? [shape.text] : []))).toEqual([
      ...["Labels of every version", "Synthetic"],
      ...["BTCV 0001, axial slice 2 of 2", "(a) CT", "R", "L", "A", "P", "10 mm", "(b) Base", "1"],
      ...["BTCV 0001, sagittal slice 1 of 4", "(c) CT", "A", "P", "S", "I", "20 mm", "(d) Base", "1"],
      "1 liver",
    ]);
  });

  it("draws lines along the edges of the voxels where labels are outlined", async () => {
    const { shapes } = await drawQualitative({ ...figure, labels: "outlined" });
    expect(shapes).toContainEqual(expect.objectContaining({ kind: "path", stroke: labelColour(0) }));
    expect(shapes.filter((shape) => shape.kind === "path" && shape.fill === labelColour(0))).toHaveLength(1);
  });

  it("writes the same bytes again in each format, and CT as a smooth picture", async () => {
    const folder = testFolder();
    const written = async (name: string) => {
      await writeFigure(await drawQualitative(figure), (format) => join(folder, `${name}.${format}`));
      return FORMATS.map((format) => readFileSync(join(folder, `${name}.${format}`)));
    };
    const [first, second] = [await written("a"), await written("b")];
    expect(second).toEqual(first);
    const [svg, pdf, png] = first;
    expect(svg?.toString().match(/data:image\/png/g)).toHaveLength(1);
    expect(pdf?.subarray(0, 5).toString()).toBe("%PDF-");
    const { width, height } = decode(png ?? new Uint8Array());
    const drawing = await drawQualitative(figure);
    expect([width, height]).toEqual([2 * drawing.width, 2 * drawing.height]);
  });
});

/** The numbers in the path data of a shape. */
function numbersOf(shape: Shape | undefined): number[] {
  return shape?.kind === "path" ? (shape.d.match(/[\d.]+/g) ?? []).map(Number) : [];
}

describe("outline", () => {
  it("has a loop for the region and one for its hole, with corners only", () => {
    const ring = (x: number, y: number) => x >= 0 && y >= 0 && x < 3 && y < 3 && !(x === 1 && y === 1);
    const loops = outlineOf(ring, 3, 3, [1, 1]).split("z").filter(Boolean);
    expect(loops).toHaveLength(2);
    expect(loops.map((loop) => loop.split(/[ML]/).filter(Boolean).length)).toEqual([4, 4]);
  });

  it("is empty for an empty region", () => {
    expect(outlineOf(() => false, 3, 3, [1, 1])).toBe("");
  });
});

describe("scatter figure", () => {
  const drawing = drawScatter({
    title: "A <b>",
    notice: "Synthetic",
    xLabel: "x",
    yLabel: "y",
    columns: ["BTCV", "WORD"],
    metrics: ["Dice"],
    series: ["base", "MedSAM"],
    points: [
      [
        [
          { x: 100, y: 80, spread: { x: 0, y: 5 } },
          { x: 60, y: 40 },
        ],
        [null, null],
      ],
    ],
    remarks: [["Spearman 0.83 (n = 7)", ""]],
  });
  const svg = svgOf(drawing);

  it("has one panel for each dataset, a legend and the notice, and says where no training converged", () => {
    expect(svg).toContain("A &#60;b&#62;");
    expect(svg).toContain("BTCV, Dice");
    expect(svg).toContain("Synthetic");
    expect(svg.match(/none converged/g)).toHaveLength(1);
    expect(svg.match(/>MedSAM</g)).toHaveLength(1);
  });

  it("has bars only where a point has a spread, and the remark of the panel", () => {
    const bars = drawing.shapes.filter((shape) => shape.kind === "path" && shape.opacity === 0.55);
    expect(bars).toHaveLength(1);
    const [left, , right, , top, bottom] = numbersOf(bars[0]);
    expect(left).toBe(right);
    expect(top).not.toBe(bottom);
    expect(svg).toContain(">Spearman 0.83 (n = 7)<");
  });

  it("has no tick beyond 100 %", () => {
    const ticks = [...svg.matchAll(/font-size="10"[^>]*>(\d+)</g)].map(([, tick]) => Number(tick));
    expect(Math.max(...ticks)).toBe(100);
  });

  it("draws its letters with the font in the PNG", async () => {
    const png = decode(await pngOf(svg));
    const title = svgOf({ ...drawing, shapes: drawing.shapes.slice(1) });
    expect(decode(await pngOf(title)).data).not.toEqual(png.data);
  });

  it("gives sixteen organs sixteen colours", () => {
    expect(new Set(Array.from({ length: 16 }, (_, i) => labelColour(i))).size).toBe(16);
  });

  it("gives each of sixteen series its own pair of colour and marker", () => {
    const styles = Array.from({ length: 16 }, (_, i) => JSON.stringify(seriesStyle(i)));
    expect(new Set(styles).size).toBe(16);
  });
});
