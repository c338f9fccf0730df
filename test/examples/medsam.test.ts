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
