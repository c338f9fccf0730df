import { cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { readHeader, readLabels } from "../../tasks/study/volume/nifti.ts";
import { HOME } from "../helpers/bundle.ts";
import { shared } from "../helpers/shared.ts";
import { differing } from "../inference/golden-network.ts";
import { copiedExample } from "./copied-example.ts";

const golden = shared("golden");
const v2 = `${golden}/04_nnunet_v2`;
const v1 = `${golden}/08_nnunet_v1_stunet`;

interface Model {
  readonly what: string;
  /** The folder that contains the model folder, images/ and expected/. */
  readonly root: string;
  readonly model: string;
  readonly case: string;
  readonly expected: string;
  readonly set?: readonly string[];
}

/** One model of each version, and one with two channels. test/inference tests the other networks. */
const models: Model[] = [
  {
    what: "nnU-Net v2 of old plans, not mirrored, step 0.8",
    root: `${v2}/m2`,
    model: "Dataset902_ToyOldPlans",
    case: "s01",
    expected: "s01_seg_float32.nii.gz",
    set: ["step=0.8"],
  },
  {
    what: "nnU-Net v2 of two channels and regions",
    root: `${v2}/m4`,
    model: "Dataset904_ToyRegions",
    case: "two_ch",
    expected: "two_ch_seg_float32.nii.gz",
  },
  {
    what: "nnU-Net v1",
    root: `${v1}/c_generic_unet`,
    model: "Task502_Toy",
    case: "c2",
    expected: "c2_seg.nii.gz",
  },
];

for (const { what, root, model, case: id, expected, set = [] } of models) {
  test.skipIf(!golden)(`${what}: lq build gives the reference's segmentation`, async () => {
    const project = copiedExample("predict", {
      [`model/${model}`]: `${root}/${model}`,
      images: `${root}/images`,
    });
    const built = await project.lq("build", ...set.flatMap((each) => ["--set", each]));
    expect(built.stderr).toBe("");
    expect(built.code).toBe(0);
    const labels = await readLabels(project.path(`prediction/${id}.nii.gz`));
    const reference = await readLabels(`${root}/expected/${expected}`);
    expect(differing(labels.data, reference.data)).toBe(0);
    expect(labels.size).toEqual(reference.size);
    const image = await readHeader(project.path(`images/${id}_0000.nii.gz`));
    labels.affine.forEach((value, i) => expect(value).toBeCloseTo(image.affine[i]!, 4));
    expect((await project.build({ set })).summary).toMatchObject({ ran: 0, fresh: 3 });
  });
}

const m2 = { model: `${v2}/m2/Dataset902_ToyOldPlans`, image: `${v2}/m2/images/s01_0000.nii.gz` };

test.skipIf(!golden)(
  "an error about the model or the images says what is there and what is expected",
  async () => {
    const stranger = copiedExample("predict", {
      "images/a_0000.nii.gz": m2.image,
      "model/notes.txt": `${HOME}README.md`,
    });
    const unrecognised = await stranger.lq("build", "convert");
    expect(unrecognised.code).toBe(1);
    expect(unrecognised.stderr + unrecognised.stdout).toMatch(
      /no model is recognised: .*plans\.json[^]*There is notes\.txt/,
    );

    const project = copiedExample("predict", { "images/a_0002.nii.gz": m2.image, model: m2.model });
    const rename = (from: string, to: string) =>
      renameSync(project.path(`images/${from}`), project.path(`images/${to}`));
    const missing = await project.lq("build");
    expect(missing.code).toBe(1);
    expect(missing.stderr + missing.stdout).toContain(
      "image a_0000 is missing: case a has only a_0002.nii.gz",
    );

    rename("a_0002.nii.gz", "scan.nii.gz");
    const unnamed = await project.lq("build");
    expect(unnamed.stderr + unnamed.stdout).toContain("image scan.nii.gz is not named CASE_0000.nii.gz");

    rename("scan.nii.gz", "a_0000.nii.gz");
    cpSync(m2.image, project.path("images/a_0001.nii.gz"));
    const channels = await project.lq("build");
    expect(channels.code).toBe(1);
    expect(channels.stderr + channels.stdout).toContain("takes 1 image (channel) a case, not 2");

    const nothing = copiedExample("predict", { "images/a_0000.nii.gz": m2.image });
    const absent = await nothing.lq("build");
    expect(absent.code).not.toBe(0);
    expect(absent.stderr).toContain("put a model there as it is distributed");
  },
);

test.skipIf(!golden)("a network is loaded once for all cases of a worker", async () => {
  const { root, model } = models[0]!;
  const image = `${root}/images/s01_0000.nii.gz`;
  const project = copiedExample("predict", {
    [`model/${model}`]: `${root}/${model}`,
    images: `${root}/images`,
  });
  // The same voxels in another file: with the same file, lq would restore the first result.
  writeFileSync(project.path("images/s02_0000.nii"), gunzipSync(readFileSync(image)));
  const built = await project.lq("build", "-j1", "--set", "step=1");
  expect(built.code).toBe(0);
  const [one, two] = ["s01", "s02"].map((id) => readFileSync(project.path(`prediction/${id}.nii.gz`)));
  expect(one!.equals(two!)).toBe(true);
  const logs = project.path("cache/logs/predict");
  const texts = readdirSync(logs).map((name) => readFileSync(`${logs}/${name}`, "utf8"));
  expect(texts.join("").match(/^.*loaded .* on cpu, threads: 1$/gm)).toHaveLength(1);
});
