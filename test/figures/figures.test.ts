import { decode } from "fast-png";
import { describe, expect, it } from "vitest";
import { renderQualitative } from "../../tasks/study/figures/qualitative.ts";
import { renderScatter } from "../../tasks/study/figures/scatter.ts";
import { labelColour, seriesStyle } from "../../tasks/study/figures/palette.ts";

const grid = { size: [4, 3, 2], spacing: [1, 1, 1], affine: [] } as const;

describe("qualitative figure", () => {
  const image = { ...grid, data: Float32Array.from({ length: 24 }, (_, i) => i) };
  const labels = { ...grid, data: new Uint8Array(24) };
  labels.data[12] = 7; // first voxel of slice 1: left and posterior of the patient, lower right in the picture
  const figure = {
    heading: ["CASE 1", "SYNTHETIC"],
    image,
    window: [0, 24] as const,
    versions: [{ name: "base", labels }],
    organs: [{ name: "liver", id: 7 }],
    slice: 1,
  };

  it("puts the organ's colour where the label is, anterior up and the patient's right on the left", () => {
    const png = decode(renderQualitative(figure));
    const colour = labelColour(0).map((c) => Math.round(0.65 * c + 0.35 * Math.round((255 * 12) / 24)));
    const hits: number[][] = [];
    for (let i = 0; i < png.width * png.height; i++) {
      if (colour.every((c, k) => png.data[i * 3 + k] === c))
        hits.push([i % png.width, Math.floor(i / png.width)]);
    }
    const panelLeft = 10 + 260 + 10;
    const [xs, ys] = [hits.map(([x = 0]) => x), hits.map(([, y = 0]) => y)];
    expect([Math.min(...xs), Math.max(...xs)]).toEqual([panelLeft + 3 * 65, panelLeft + 4 * 65 - 1]);
    expect(Math.max(...ys) - Math.min(...ys)).toBe(64);
    // The panel's 260 pixels are 4 voxels wide. The organ's number and its white edge cover a part of the voxel.
    expect(hits.length).toBeLessThan(65 * 65);
    expect(hits.length).toBeGreaterThan(65 * 65 - 12 * 16);
  });

  it("gives the same bytes again", () => {
    expect(renderQualitative(figure)).toEqual(renderQualitative(figure));
  });
});

describe("scatter figure", () => {
  const svg = renderScatter({
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
          { x: 100, y: 80 },
          { x: 60, y: 40 },
        ],
        [null, null],
      ],
    ],
  });

  it("has one panel for each dataset, a legend and the notice, and says where no training converged", () => {
    expect(svg).toContain("A &#60;b&#62;");
    expect(svg).toContain("BTCV, Dice");
    expect(svg).toContain("Synthetic");
    expect(svg.match(/none converged/g)).toHaveLength(1);
    expect(svg.match(/>MedSAM</g)).toHaveLength(1);
  });

  it("has no tick beyond 100 %", () => {
    const ticks = [...svg.matchAll(/font-size="10">(\d+)</g)].map(([, tick]) => Number(tick));
    expect(Math.max(...ticks)).toBe(100);
  });

  it("gives sixteen organs sixteen colours", () => {
    expect(new Set(Array.from({ length: 16 }, (_, i) => labelColour(i).join())).size).toBe(16);
  });

  it("gives each of sixteen series its own pair of colour and marker", () => {
    const styles = Array.from({ length: 16 }, (_, i) => JSON.stringify(seriesStyle(i)));
    expect(new Set(styles).size).toBe(16);
  });
});
