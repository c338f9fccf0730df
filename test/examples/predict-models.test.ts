/** Runs a copy of examples/predict on the models of golden set 09, and on models that are damaged or not supported. */
import { cpSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readLabels } from "../../tasks/study/volume/nifti.ts";
import type { CliProject } from "../helpers/cli.ts";
import { shared } from "../helpers/shared.ts";
import { differing } from "../inference/golden-network.ts";
import { copiedExample } from "./copied-example.ts";

const golden = shared("golden/09_nnunet_more");
const a1 = `${golden}/a1_2d`;
const b = `${golden}/b_cascade`;
const c = `${golden}/c_ensemble_postprocessing`;
const d = `${golden}/d_stunet_v2`;
const e = `${golden}/e_totalseg_parts`;

const models: {
  what: string;
  /** Where each file or folder goes in the project. */
  files: Record<string, string>;
  set?: string[];
  case: string;
  expected: string;
}[] = [
  {
    what: "a 2d configuration",
    files: { "model/Dataset911_Toy2d": `${a1}/Dataset911_Toy2d`, images: `${a1}/images` },
    case: "cor_1",
    expected: `${a1}/expected/cor_1_seg_float32.nii.gz`,
  },
  {
    what: "a cascade with its first stage",
    files: { "model/Dataset913_ToyCascade": `${b}/Dataset913_ToyCascade`, images: `${b}/images` },
    set: ["configuration=3d_cascade_fullres"],
    case: "casc",
    expected: `${b}/expected/casc_cascade_seg_float32.nii.gz`,
  },
  {
    what: "the mean of two configurations",
    files: { "model/Dataset914_ToyEnsemble": `${c}/Dataset914_ToyEnsemble`, images: `${c}/images` },
    set: ["configuration=[2d, 3d_fullres]"],
    case: "ens",
    expected: `${c}/expected/ens_ensemble_seg.nii.gz`,
  },
  {
    what: "the same with postprocessing.pkl",
    files: {
      "model/Dataset914_ToyEnsemble": `${c}/Dataset914_ToyEnsemble`,
      "model/ensembles/postprocessing.pkl": `${c}/postprocessing/postprocessing.pkl`,
      images: `${c}/images`,
    },
    set: ["configuration=[2d, 3d_fullres]", "postprocessing=auto"],
    case: "ens",
    expected: `${c}/postprocessing/ens_ensemble_seg_postprocessed.nii.gz`,
  },
  {
    what: "STU-Net in nnU-Net v2's layout",
    files: { "model/Dataset915_ToyStu": `${d}/Dataset915_ToyStu`, images: `${d}/images` },
    case: "stu",
    expected: `${d}/expected/stu_seg_float32.nii.gz`,
  },
  {
    what: "TotalSegmentator's total_mr",
    files: { model: `${e}/models`, "images/mr_0000.nii.gz": `${e}/images/mr.nii.gz` },
    set: ["task=total_mr", "step=auto"],
    case: "mr",
    expected: `${e}/expected/total_mr_seg_float32.nii.gz`,
  },
  {
    what: "TotalSegmentator's liver_segments_mr with its rough crop",
    files: { model: `${e}/models`, "images/mr_0000.nii.gz": `${e}/images/mr.nii.gz` },
    set: ["task=liver_segments_mr", "step=auto"],
    case: "mr",
    expected: `${e}/expected/liver_segments_mr_seg_float32.nii.gz`,
  },
];

const settings = (set: readonly string[]) => set.flatMap((each) => ["--set", each]);

test.skipIf(!golden).each(models.map((model) => [model.what, model] as const))(
  "%s: lq build gives the reference's labels",
  async (_, { files, set = [], case: id, expected }) => {
    const project = copiedExample("predict", files);
    const built = await project.lq("build", ...settings(set));
    expect(built.stderr).toBe("");
    expect(built.code).toBe(0);
    const labels = await readLabels(project.path(`prediction/${id}.nii.gz`));
    const reference = await readLabels(expected);
    expect(labels.size).toEqual(reference.size);
    expect(differing(labels.data, reference.data)).toBe(0);
  },
);

test.skipIf(!golden)("label values may be written as text, as nnU-Net reads them", async () => {
  const project = toy();
  const path = project.path(`${model}/dataset.json`);
  const dataset = JSON.parse(readFileSync(path, "utf8")) as { labels: Record<string, number> };
  const text = Object.entries(dataset.labels).map(([name, value]) => [name, String(value)] as const);
  writeFileSync(path, JSON.stringify({ ...dataset, labels: Object.fromEntries(text) }));
  expect((await project.lq("build", "convert")).code).toBe(0);
  const { labels } = JSON.parse(project.read("model-onnx/model.json")) as { labels: Record<string, number> };
  expect({ ...labels, background: 0 }).toEqual(dataset.labels);
});

/** The error of `lq build convert`, which must fail. */
async function failure(project: CliProject, ...set: string[]): Promise<string> {
  const { code, stdout, stderr } = await project.lq("build", "convert", ...settings(set));
  expect(code).toBe(1);
  return stdout + stderr;
}

test.skipIf(!golden)("several configurations are refused until one is named", async () => {
  const project = copiedExample("predict", { "model/Dataset913_ToyCascade": `${b}/Dataset913_ToyCascade` });
  expect(await failure(project)).toMatch(
    /2 models; leave one there, or set configuration: 3d_cascade_fullres \| 3d_lowres/,
  );
  expect(await failure(project, "configuration=2d")).toMatch(
    /there is no configuration 2d, only 3d_cascade_fullres, 3d_lowres/,
  );
});

const model = "model/Dataset911_Toy2d/nnUNetTrainer__nnUNetPlans__2d";

function toy(): CliProject {
  return copiedExample("predict", { "model/Dataset911_Toy2d": `${a1}/Dataset911_Toy2d` });
}

test.skipIf(!golden)(
  "the checkpoint can be named; a missing one is refused with those that are there",
  async () => {
    const project = toy();
    expect(await failure(project, "checkpoint=best")).toMatch(
      /there is no fold_0\/checkpoint_best\.pth: fold_0 has checkpoint_final\.pth; fold_1 has checkpoint_final\.pth/,
    );
    cpSync(
      project.path(`${model}/fold_0/checkpoint_final.pth`),
      project.path(`${model}/fold_0/checkpoint_best.pth`),
    );
    expect((await project.lq("build", "convert", "--set", "checkpoint=best")).code).toBe(0);
    expect((await project.lq("log", "convert")).stdout).toContain(
      "left out: fold_1 has checkpoint_final.pth, but not checkpoint_best.pth",
    );
    const { folds } = JSON.parse(project.read("model-onnx/model.json")) as { folds: { fold: string }[] };
    expect(folds.map(({ fold }) => fold)).toEqual(["0"]);
  },
);

test.skipIf(!golden)("a git-lfs pointer, a web page and a truncated download are named as such", async () => {
  const project = toy();
  const checkpoint = project.path(`${model}/fold_0/checkpoint_final.pth`);
  truncateSync(checkpoint, 40_000);
  expect(await failure(project)).toMatch(/fold_0\/checkpoint_final\.pth: .*the download is not complete/);
  writeFileSync(checkpoint, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 79161\n");
  expect(await failure(project)).toMatch(/checkpoint_final\.pth: .*it is a git-lfs pointer/);
  writeFileSync(checkpoint, "<!DOCTYPE html><html></html>");
  expect(await failure(project)).toMatch(/checkpoint_final\.pth: .*it is a web page/);
});

type Json = Record<string, unknown>;

test.skipIf(!golden)("every key of the plans is used or refused by name", async () => {
  const project = toy();
  const path = project.path(`${model}/plans.json`);
  const original = readFileSync(path, "utf8");
  const withPlans = async (change: (configuration: Json, kwargs: Json) => void) => {
    const plans = JSON.parse(original) as { configurations: { "2d": Json } };
    const configuration = plans.configurations["2d"];
    change(configuration, (configuration["architecture"] as { arch_kwargs: Json }).arch_kwargs);
    writeFileSync(path, JSON.stringify(plans));
    return failure(project);
  };
  expect(await withPlans((_, kwargs) => (kwargs["turbo"] = true))).toMatch(/Unrecognized key: "turbo"/);
  expect(await withPlans((_, kwargs) => (kwargs["conv_bias"] = false))).toMatch(
    /plans say conv_bias: false, but the checkpoint has the weight encoder\.stages\.0\.0\.convs\.0\.conv\.bias/,
  );
  expect(await withPlans((_, kwargs) => (kwargs["norm_op_kwargs"] = { affine: false }))).toMatch(
    /plans say affine: false, but the checkpoint has the weight encoder\.stages\.0\.0\.convs\.0\.norm\.weight/,
  );
  expect(await withPlans((_, kwargs) => (kwargs["nonlin"] = "torch.nn.GELU"))).toMatch(
    /nonlin torch\.nn\.GELU/,
  );
  for (const name of ["resample_torch_fornnunet", "no_resampling_data_or_seg_to_shape"]) {
    const said = await withPlans((configuration) => {
      configuration["resampling_fn_data"] = name;
      configuration["resampling_fn_data_kwargs"] = {};
    });
    expect(said).toContain(`resampling ${name} is not supported (resample_data_or_seg_to_shape is)`);
  }
  const linear = { is_seg: false, order: 1, order_z: 0, force_separate_z: null };
  expect(await withPlans((c2d) => (c2d["resampling_fn_data_kwargs"] = linear))).toContain(
    "resampling of order 1 (z: 0) is not supported",
  );
  expect(await withPlans((c2d) => (c2d["preprocessor_name"] = "MyPreprocessor"))).toMatch(
    /preprocessor_name/,
  );
});
