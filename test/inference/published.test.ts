/** Published generators in the study's own pipeline. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Model } from "../../tasks/study/inference/model.ts";
import { datasetValues } from "../../tasks/study/inference/remap.ts";
import { classNames, labelTable } from "../../tasks/study/labels/labels.ts";
import { readHeader, readLabels } from "../../tasks/study/volume/nifti.ts";
import type { CliProject } from "../helpers/cli.ts";
import { shared } from "../helpers/shared.ts";
import { studyCopy } from "../helpers/study.ts";

const study = (profile: string): CliProject => studyCopy({ "profiles/published.yaml": profile });

const CHOICE =
  "configuration: auto, task: auto, checkpoint: final, postprocessing: none, resampling_order: 1";

test("each case is predicted once, with folds by the network that has not seen it", async () => {
  const project = study(`sources: { btcv: { root: scans, phantom: null } }
generators:
  totalseg: { kind: published, model: published/ts, ${CHOICE}, step: auto, mirror: auto }
  nnunet: { kind: published-folds, model: published/nnunet, ${CHOICE}, step: auto, mirror: auto }
  medsam: { kind: medsam, model: published/medsam, overlap: later }
`);
  const ids = ["0001", "0002", "0003", "0004", "0005"];
  for (const id of ids) {
    project.write(`scans/RawData/Training/img/img${id}.nii.gz`, "");
    project.write(`scans/RawData/Training/label/label${id}.nii.gz`, "");
  }
  for (const folder of ["ts", "nnunet/btcv", "medsam"]) project.write(`published/${folder}/weights`, "");
  const generators = ["totalseg", "nnunet", "medsam"];
  const targets = generators.map((generator) => `labels/btcv/${generator}/`);
  const lines = await project.json("build", "-n", "--profile", "published", ...targets);
  const planned = lines.filter(({ type }) => type === "plan").at(-1);
  expect(planned).toMatchObject({
    rules: {
      convert: 1,
      "convert-folds": 1,
      "convert-medsam": 1,
      "predict-published": 5,
      "predict-folds": 5,
      "predict-medsam": 5,
      original: 5,
    },
  });
});

const toy = shared("golden/04_nnunet_v2/m2/Dataset902_ToyOldPlans");

test.skipIf(!toy)(
  "a published TotalSegmentator labels a phantom with the dataset's label values",
  async () => {
    const project = study(
      `generators: { totalseg: { kind: published, model: published/ts, ${CHOICE}, step: 1, mirror: auto } }\n`,
    );
    const folder = project.path("published/ts/Dataset297_Toy");
    mkdirSync(project.path("published/ts"), { recursive: true });
    cpSync(toy!, folder, { recursive: true });
    const path = `${folder}/nnUNetTrainerNoMirroring__nnUNetPlans__3d_fullres/dataset.json`;
    const dataset = JSON.parse(readFileSync(path, "utf8")) as { labels: object };
    const organs = ["background", "liver", "spleen", "colon", "rib_left_1", "stomach", "aorta"];
    dataset.labels = Object.fromEntries(
      organs.slice(0, Object.keys(dataset.labels).length).map((name, i) => [name, i]),
    );
    writeFileSync(path, JSON.stringify(dataset));

    const built = await project.lq("build", "--profile", "published", "labels/btcv/totalseg/0001.nii.gz");
    expect(built.stderr).toBe("");
    expect(built.code).toBe(0);
    const labels = await readLabels(project.path("labels/btcv/totalseg/0001.nii.gz"));
    // BTCV's values of spleen, liver, stomach and aorta; it has neither colon nor ribs.
    expect([0, 1, 6, 7, 8]).toEqual(expect.arrayContaining([...new Set(labels.data)]));
    const image = await readHeader(project.path("phantoms/btcv/RawData/Training/img/img0001.nii.gz"));
    expect(labels.size).toEqual(image.shape.slice(0, 3));

    // The generator chooses among models as examples/predict does.
    const set = (choice: string) => ["--set", `generators.totalseg.${choice}`];
    const refused = async (choice: string) => {
      const { code, stdout, stderr } = await project.lq(
        "build",
        "--profile",
        "published",
        ...set(choice),
        "onnx/totalseg/",
      );
      return `${code} ${stdout}${stderr}`;
    };
    expect(await refused("configuration=2d")).toMatch(/^1 .*there is no configuration 2d, only 3d_fullres/s);
    expect(await refused("checkpoint=best")).toMatch(/^1 .*there is no fold_0\/checkpoint_best\.pth/s);
    expect(await refused("task=total_mr")).toMatch(/^1 .*total_mr/s);
    expect(await refused("resampling_order=2")).toMatch(/^2 .*expected 1 or 3/s);
  },
);

const network = (labels: Record<string, number>, count: number): Model =>
  ({ kind: "nnunet", name: "Toy", labels, output: { kind: "labels", count } }) as unknown as Model;

test("labels of a model and of the dataset match by name, with words in any order", () => {
  const labels = { liver: 1, "Left Kidney": 2, kidney_right: 3, vena_cava_inferior: 4 };
  expect([...datasetValues(network(labels, 5), labelTable("btcv"), "all")]).toEqual([0, 6, 3, 2, 9]);
  expect(() => datasetValues(network({ elbow: 1 }, 2), labelTable("btcv"), "all")).toThrow(
    "Toy predicts labels that are not among the labels of the dataset: elbow",
  );
});

test("a model without label names must have as many classes as the class list", () => {
  const { length } = classNames("stunet");
  const values = datasetValues(network({}, length), labelTable("btcv"), "stunet");
  expect(values[classNames("stunet").indexOf("liver")]).toBe(6);
  expect(() => datasetValues(network({}, 6), labelTable("btcv"), "stunet")).toThrow(
    `Toy predicts 6 classes, but the class list stunet has ${length}`,
  );
});
