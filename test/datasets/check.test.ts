import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { checkCase } from "../../tasks/study/datasets/check-case.ts";
import { datasetJsonLabels } from "../../tasks/study/datasets/dataset-json.ts";
import { layoutOf } from "../../tasks/study/datasets/layouts.ts";
import { duplicates } from "../../tasks/study/datasets/leakage.ts";
import { listCases } from "../../tasks/study/datasets/list-cases.ts";
import { manifestOf, statisticsOf, type Manifest } from "../../tasks/study/datasets/manifest.ts";
import { readCaseLabel } from "../../tasks/study/datasets/read-label.ts";
import { foregroundStatistics, median } from "../../tasks/study/datasets/statistics.ts";
import { labelTable } from "../../tasks/study/labels/labels.ts";
import { writePhantomDataset } from "../../tasks/study/phantom/write.ts";
import { readNifti, writeNifti } from "../../tasks/study/volume/nifti.ts";
import { DEFAULT_READING } from "../../tasks/study/volume/reading.ts";
import { testFolder } from "../helpers/folder.ts";

const AS_USUAL = [DEFAULT_READING, () => undefined] as const;

const root = testFolder();
beforeAll(async () => {
  await writePhantomDataset("abdomenatlas", { cases: 2 }, join(root, "abdomenatlas"));
  await writePhantomDataset("ct1k", { cases: 3, absent: { spleen: [2] } }, join(root, "ct1k"));
  await writePhantomDataset("nnunet-raw", { cases: 2 }, join(root, "nnunet-raw"));
});

async function check(layout: string, folder = join(root, layout)) {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  const { cases } = listCases(layout, folder, names);
  const checks = await Promise.all(
    cases.map(async ({ id, image, label }) => {
      return [
        id,
        await checkCase(layout, join(folder, image[0]!), `${folder}/${label[0]!}`, {
          reading: DEFAULT_READING,
          ignore: null,
        }),
      ] as const;
    }),
  );
  const { labels } = layoutOf(layout);
  const json = join(folder, "dataset.json");
  const table = labels === null ? datasetJsonLabels(readFileSync(json, "utf8"), json) : labelTable(labels);
  const found = new Map(checks);
  return {
    manifest: manifestOf({ layout, synthetic: true, cases, conversions: [] }, found, table),
    stats: statisticsOf(found, table),
  };
}

/** A copy of the CT-1K phantoms with one rewritten file. */
async function damaged(name: string, path: string, change: (path: string) => Promise<void> | void) {
  const folder = join(root, name);
  cpSync(join(root, "ct1k"), folder, { recursive: true });
  await change(join(folder, path));
  return (await check("ct1k", folder)).manifest;
}
const image = "AbdomenCT-1K-ImagePart1/Case_00001_0000.nii.gz";
const label = "Mask/Case_00001.nii.gz";

describe("the check of a dataset", () => {
  it("accepts phantoms, and lists the cases in which an organ is absent", async () => {
    const { manifest } = await check("ct1k");
    expect(manifest).toMatchObject({ layout: "ct1k", cases: 3, published: 1000, errors: [], warnings: [] });
    expect(manifest.labels).toEqual({
      liver: { value: 1, absent: [] },
      kidney: { value: 2, absent: [] },
      spleen: { value: 3, absent: ["Case_00002"] },
      pancreas: { value: 4, absent: [] },
    });
  });

  it("gives median geometry along the patient's axes, and intensities of labelled voxels", async () => {
    const { stats } = await check("ct1k");
    expect(stats.size.slice(0, 2)).toEqual([32, 24]);
    expect(stats.spacing[0]).toBeGreaterThan(1.05);
    expect(stats.spacing[2]).toBeCloseTo(1.8, 5);
    const { mean, percentile_00_5, percentile_99_5 } = stats.foreground!;
    expect(mean).toBeGreaterThan(80);
    expect(mean).toBeLessThan(140);
    expect(percentile_00_5).toBeLessThan(mean - 50);
    expect(percentile_99_5).toBeGreaterThan(mean + 50);
  });

  it("gives size and spacing in patient order when the slices run along another stored axis", async () => {
    const turned = join(root, "turned");
    cpSync(join(root, "ct1k"), turned, { recursive: true });
    for (const path of [image, label]) {
      const volume = await readNifti(join(turned, path));
      const [nx, ny, nz] = volume.size;
      // Stored as (z, x, y), with the affine's columns in the same order.
      const data = new Float32Array(volume.data.length);
      for (let z = 0; z < nz; z++)
        for (let y = 0; y < ny; y++)
          for (let x = 0; x < nx; x++) data[z + nz * (x + nx * y)] = volume.data[x + nx * (y + ny * z)]!;
      const affine = volume.affine.map((_, i) =>
        i % 4 === 3 ? volume.affine[i]! : volume.affine[4 * Math.floor(i / 4) + [2, 0, 1][i % 4]!]!,
      );
      const [sx, sy, sz] = volume.spacing;
      await writeNifti(join(turned, path), { data, size: [nz, nx, ny], spacing: [sz, sx, sy], affine });
    }
    const [before, after] = [await check("ct1k"), await check("ct1k", turned)];
    expect(after.stats.size).toEqual(before.stats.size);
    after.stats.spacing.forEach((mm, axis) => {
      expect(mm).toBeCloseTo(before.stats.spacing[axis]!, 5);
    });
    expect(after.manifest.contents).toEqual(before.manifest.contents);
    expect(after.manifest.warnings).toEqual([]);
  });

  it("reports a label of another shape, an unknown label value, an unreadable file", async () => {
    const shape = await damaged("shape", label, async (path) => {
      const volume = await readNifti(path);
      const [nx, ny, nz] = volume.size;
      await writeNifti(path, {
        ...volume,
        data: Uint8Array.from(volume.data.subarray(0, nx * ny * (nz - 1))),
        size: [nx, ny, nz - 1],
      });
    });
    expect(shape.errors).toEqual([
      expect.stringMatching(
        /^Case_00001: Mask\S*: its size 32×24×16 is not that of \S*_0000.nii.gz, 32×24×17/,
      ),
    ]);
    const stray = await damaged("stray", label, async (path) => {
      const volume = await readNifti(path);
      await writeNifti(path, { ...volume, data: Uint8Array.from(volume.data, (v) => (v === 4 ? 17 : v)) });
    });
    expect(stray.errors).toEqual(["Case_00001: label values without a name: 17"]);
    const broken = await damaged("broken", image, (path) => {
      writeFileSync(path, readFileSync(path).subarray(0, 100));
    });
    expect(broken.errors).toHaveLength(1);
    expect(broken.errors[0]).toMatch(/^Case_00001: \S*Case_00001_0000\.nii\.gz: /);
    expect(Object.keys(broken.contents)).toEqual(["Case_00002", "Case_00003"]);
  });

  it("refuses a shifted label, and warns of a made-up spacing and an empty label map", async () => {
    const rewrite = async (path: string, change: object): Promise<void> => {
      const volume = await readNifti(path);
      await writeNifti(path, { ...volume, ...change });
    };
    const affine = (await readNifti(join(root, "ct1k", label))).affine.map((v, i) => (i === 3 ? v + 2 : v));
    const shifted = await damaged("shifted", label, (path) => rewrite(path, { affine }));
    expect(shifted.errors).toEqual([
      expect.stringMatching(
        /^Case_00001: Mask\S*: its voxels lie up to 2\.00 mm from those of \S*_0000\.nii\.gz/,
      ),
    ]);
    const unit = [-1, 0, 0, 9, 0, -1, 0, 9, 0, 0, 1, 9, 0, 0, 0, 1];
    const fake = await damaged("fake", image, (path) => rewrite(path, { spacing: [1, 1, 1], affine: unit }));
    expect(fake.warnings.join()).toContain("Case_00001: spacing of 1×1×1 mm is probably made up");
    const empty = await damaged("empty", label, async (path) => {
      await rewrite(path, { data: new Uint8Array((await readNifti(path)).data.length) });
    });
    expect(empty.warnings).toEqual(["Case_00001: no voxel is labelled"]);
  });

  it("says how many of the published cases of real data are there", () => {
    const { warnings } = manifestOf(
      { layout: "ct1k", synthetic: false, cases: [], conversions: [] },
      new Map(),
      new Map(),
    );
    expect(warnings).toEqual(["0 cases, where 1000 were published"]);
  });

  it("finds an image again that another dataset has under another name", async () => {
    const atlas = join(root, "atlas-with-leak");
    cpSync(join(root, "abdomenatlas"), atlas, { recursive: true });
    for (const [from, to] of [
      [image, "BDMAP_00000009/ct.nii.gz"],
      [label, "BDMAP_00000009/combined_labels.nii.gz"],
    ] as const) {
      cpSync(join(root, "ct1k", from), join(atlas, to));
    }
    const manifests: Record<string, Manifest> = {
      ct1k: (await check("ct1k")).manifest,
      abdomenatlas: (await check("abdomenatlas", atlas)).manifest,
    };
    expect(duplicates(manifests)).toEqual([{ places: ["abdomenatlas/BDMAP_00000009", "ct1k/Case_00001"] }]);
  });

  it("takes the label names of nnU-Net's raw data from dataset.json", async () => {
    const { manifest } = await check("nnunet-raw");
    expect(manifest.errors).toEqual([]);
    expect(manifest.labels["portal_vein_and_splenic_vein"]?.value).toBe(64);
    const old = '{ "labels": { "0": "background", "3": "spleen", "4": "a lesion" } }';
    expect([...datasetJsonLabels(old, "dataset.json")]).toEqual([
      [3, { name: "spleen", organ: "spleen" }],
      [4, { name: "a lesion", organ: null }],
    ]);
    expect(() => datasetJsonLabels("{ no", "own/dataset.json")).toThrow("own/dataset.json is not JSON");
    expect(() => datasetJsonLabels("{}", "d.json")).toThrow("d.json does not say what the label values mean");
    expect(() => datasetJsonLabels('{ "labels": { "liver": -1 } }', "d.json")).toThrow(
      'd.json: "liver" has no label value',
    );
  });
});

describe("a case's label", () => {
  it("is the same from AbdomenAtlas's combined file and from its folder of masks", async () => {
    const folder = join(root, "abdomenatlas/BDMAP_00000001");
    const combined = await readCaseLabel("abdomenatlas", join(folder, "combined_labels.nii.gz"), ...AS_USUAL);
    const masks = await readCaseLabel("abdomenatlas", `${folder}/segmentations/`, ...AS_USUAL);
    expect(Array.from(masks.data)).toEqual(Array.from(combined.data));
    expect(masks.affine).toEqual(combined.affine);
  });

  it("refuses a folder without masks", async () => {
    await expect(readCaseLabel("abdomenatlas", join(root, "ct1k/"), ...AS_USUAL)).rejects.toThrow(
      "has no mask",
    );
  });
});

describe("statistics", () => {
  it("are numpy's mean, std and linear percentiles", () => {
    const result = foregroundStatistics([
      [4, 1],
      [3, 2, 10],
    ])!;
    expect(result).toMatchObject({ mean: 4, median: 3, min: 1, max: 10 });
    expect(result.std).toBeCloseTo(Math.sqrt(10), 12);
    expect(result.percentile_00_5).toBeCloseTo(1.02, 6);
    expect(result.percentile_99_5).toBeCloseTo(9.88, 6);
    expect(foregroundStatistics([])).toBeNull();
    expect(median([5, 1, 2, 8])).toBe(3.5);
  });
});
