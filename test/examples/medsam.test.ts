import { expect, test } from "vitest";
import { readLabels, writeNifti } from "../../tasks/study/volume/nifti.ts";
import { readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";
import { differing } from "../inference/golden-network.ts";
import { copiedExample } from "./copied-example.ts";

const golden = shared("golden/07_sam_medsam");

test.skipIf(!golden)("tiny SAM: lq build gives the labels of MedSAM's scripts", async () => {
  const arrays = await readNpz(`${golden}/medsam_protocol.npz`);
  const example = copiedExample("medsam", { "model/tiny_sam.pth": `${golden}/tiny_sam.pth` });
  const grid = {
    size: [96, 72, 6],
    spacing: [1, 1, 3],
    affine: [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1],
  } as const;
  const image = { ...grid, data: arrays.get("image_hu")!.data };
  const labels = { ...grid, data: arrays.get("labels")!.data };
  for (const id of ["a", "b"]) {
    example.write(`images/${id}_0000.nii.gz`, "");
    example.write(`reference/${id}.nii.gz`, "");
    await writeNifti(example.path(`images/${id}_0000.nii.gz`), image);
    await writeNifti(example.path(`reference/${id}.nii.gz`), labels);
  }
  // With one worker, the second case uses the open sessions of the first.
  const built = await example.lq("build", "-j", "1", "--set", "decoder_heads=4");
  expect(built.stderr).toBe("");
  expect(built.code).toBe(0);
  const prediction = await readLabels(example.path("prediction/a.nii.gz"));
  expect(differing(prediction.data, arrays.get("final_labels")!.data)).toBe(0);
  const loaded = ["a", "b"].map((id) => {
    const log = `cache/logs/predict/${id}.log`;
    return example.has(log) ? example.read(log).match(/^loaded/gm)?.length : 0;
  });
  expect(loaded.sort()).toEqual([0, 2]);

  example.remove("reference/b.nii.gz");
  const lacking = await example.lq("build");
  expect(lacking.code).toBe(1);
  expect(lacking.stdout + lacking.stderr).toContain(
    "images/b_0000.nii.gz: no volume of the same name in reference/",
  );
});

test.skipIf(!golden)(
  "a voxel that is not finite, and a reference on another grid, are refused by name",
  async () => {
    const example = copiedExample("medsam", { "model/tiny_sam.pth": `${golden}/tiny_sam.pth` });
    const size = [12, 10, 2] as const;
    const affine = [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1];
    const grid = { size, spacing: [1, 1, 3] as const, affine };
    const data = Float32Array.from({ length: 240 }, (_, i) => i % 200);
    const labels = Uint8Array.from({ length: 240 }, (_, i) => Number(i % 12 > 5));
    for (const path of ["images/a_0000.nii.gz", "reference/a.nii.gz"]) example.write(path, "");
    await writeNifti(example.path("images/a_0000.nii.gz"), { ...grid, data: data.with(125, NaN) });
    await writeNifti(example.path("reference/a.nii.gz"), { ...grid, data: labels });
    const build = async (...words: string[]) => {
      const { code, stdout, stderr } = await example.lq("build", "--set", "decoder_heads=4", ...words);
      return `${code} ${stdout}${stderr}`;
    };
    expect(await build()).toMatch(
      /^1 [^]*images\/a_0000\.nii\.gz: 1 of 240 voxels are not finite; the first, \(5, 0, 1\), is NaN/,
    );
    expect(await build("--set", "reading.nonfinite=0")).toMatch(/^0 /);
    const replaced = (await readLabels(example.path("prediction/a.nii.gz"))).data;
    await writeNifti(example.path("images/a_0000.nii.gz"), { ...grid, data: data.with(125, 0) });
    expect(await build()).toMatch(/^0 /);
    expect((await readLabels(example.path("prediction/a.nii.gz"))).data).toEqual(replaced);

    await writeNifti(example.path("reference/a.nii.gz"), {
      ...grid,
      data: labels,
      affine: affine.with(3, 100),
    });
    expect(await build()).toMatch(/^1 [^]*its voxels lie up to 100 mm from those of/);
  },
);
