/**
 * Runs a copy of examples/score, as a user would.
 * Golden set 01: all scores within 1.3e-11 (HD95 if the recorded margin allows it).
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { writeNifti } from "../../tasks/study/volume/nifti.ts";
import { HOME } from "../helpers/bundle.ts";
import { cliProject, type CliProject, type JsonLine } from "../helpers/cli.ts";
import { shared } from "../helpers/shared.ts";

interface Scores {
  readonly dice: number | null;
  readonly surface_dice: number | null;
  readonly hd95: number | null;
  readonly assd: number | null;
}

interface CaseFile {
  readonly case: string;
  readonly organs: { readonly [name: string]: Scores };
}

function copied(): CliProject {
  const project = cliProject({});
  cpSync(`${HOME}examples/score`, project.root, { recursive: true });
  return project;
}

function params(project: CliProject, edit: (text: string) => string): void {
  project.write("params.yaml", edit(project.read("params.yaml")));
}

const labels = (values: { readonly [name: string]: number }) => (text: string) =>
  text.replace(/^labels:\n(?: .*\n)+/m, `labels: ${JSON.stringify(values)}\n`);

const scoresOf = (project: CliProject, name: string) =>
  JSON.parse(project.read(`scores/${name}.json`)) as CaseFile;

const ran = (lines: readonly JsonLine[]) =>
  lines.flatMap(({ type, task, outcome }) => (type === "task" && outcome === "ran" ? [task] : [])).sort();

// ---- golden set 01 -----------------------------------------------------------------------------------------

type Recorded = number | "NaN" | "Infinity";

interface Golden {
  readonly labels: {
    readonly [id: string]: {
      readonly dice: Recorded;
      readonly surface_dice: { readonly [tolerance: string]: Recorded };
      readonly surface_area_ref_mm2: number;
      readonly surface_area_pred_mm2: number;
      readonly robust_hausdorff_95_mm: Recorded;
      readonly average_surface_distance_mm: {
        readonly ref_to_pred: Recorded;
        readonly pred_to_ref: Recorded;
      };
      readonly hd95_cumulative_margin: number | null;
    };
  };
}

const golden = shared("golden/01_metrics/");
const cases = golden
  ? readdirSync(golden).filter((name) => existsSync(`${golden}${name}/expected.json`))
  : [];

describe.skipIf(!golden)("golden set 01", () => {
  test.for(["1", "2"])("all cases at %s mm", async (tolerance) => {
    const expected = new Map(
      cases.map((name) => [
        name,
        JSON.parse(readFileSync(`${golden}${name}/expected.json`, "utf8")) as Golden,
      ]),
    );
    const project = copied();
    for (const name of cases) {
      copy(`${golden}${name}/ref.nii.gz`, project.path(`reference/${name}.nii.gz`));
      copy(`${golden}${name}/pred.nii.gz`, project.path(`prediction/${name}.nii.gz`));
    }
    const ids = new Set([...expected.values()].flatMap((each) => Object.keys(each.labels)));
    params(project, labels(Object.fromEntries([...ids].map((id) => [`label ${id}`, Number(id)]))));
    const { code, stderr } = await project.lq("build", "--set", `tolerance=${tolerance}`);
    expect({ code, stderr }).toMatchObject({ code: 0 });

    for (const [name, { labels: each }] of expected) {
      const file = scoresOf(project, name);
      expect(file.case).toBe(name);
      for (const [id, label] of Object.entries(each)) {
        const scores = file.organs[`label ${id}`]!;
        close(scores.dice, label.dice);
        close(scores.surface_dice, label.surface_dice[tolerance]!);
        if ((label.hd95_cumulative_margin ?? 1) > 1e-9) close(scores.hd95, label.robust_hausdorff_95_mm);
        close(scores.assd, averageOf(label));
      }
    }
  });
});

/** Mean of both directed mean distances, weighted by the areas of their surfaces. */
function averageOf(label: Golden["labels"][string]): number {
  const { ref_to_pred, pred_to_ref } = label.average_surface_distance_mm;
  const [a, b] = [label.surface_area_ref_mm2, label.surface_area_pred_mm2];
  return (Number(ref_to_pred) * a + Number(pred_to_ref) * b) / (a + b);
}

function close(actual: number | null, recorded: Recorded): void {
  const expected = Number(recorded);
  if (!Number.isFinite(expected)) expect(actual).toBeNull();
  else expect(Math.abs((actual ?? NaN) - expected)).toBeLessThanOrEqual(1.3e-11);
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

// ---- small volumes -----------------------------------------------------------------------------------------

/** Writes a file of 12×10×8 voxels of 1×1×2 mm. Each of `boxes` is a label value and the corner of a cube of 4×4×4 voxels. */
async function volume(
  project: CliProject,
  path: string,
  boxes: readonly (readonly [label: number, x: number, y: number, z: number])[],
  shift = 0,
): Promise<void> {
  const data = new Uint8Array(12 * 10 * 8);
  for (const [label, x0, y0, z0] of boxes)
    for (let i = 0; i < 64; i++)
      data[x0 + (i % 4) + 12 * (y0 + (Math.floor(i / 4) % 4) + 10 * (z0 + (i >> 4)))] = label;
  mkdirSync(dirname(project.path(path)), { recursive: true });
  await writeNifti(project.path(path), {
    data,
    size: [12, 10, 8],
    spacing: [1, 1, 2],
    affine: [-1, 0, 0, shift, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1],
  });
}

/** Labels: liver is 1, spleen is 3, and 9 is not scored. */
async function small(): Promise<CliProject> {
  const project = copied();
  params(project, labels({ liver: 1, spleen: 3 }));
  await volume(project, "reference/a.nii.gz", [[1, 0, 0, 0], [3, 8, 6, 4]]); // prettier-ignore
  await volume(project, "prediction/a.nii.gz", [[1, 1, 0, 0], [3, 8, 6, 4], [9, 5, 5, 0]]); // prettier-ignore
  await volume(project, "reference/b.nii.gz", [[1, 0, 0, 0]]);
  await volume(project, "prediction/b.nii.gz", [[1, 0, 0, 0]]);
  await volume(project, "reference/c.nii.gz", [[1, 0, 0, 0], [3, 8, 6, 4]]); // prettier-ignore
  await volume(project, "prediction/c.nii.gz", [[1, 0, 0, 0]]);
  return project;
}

const PERFECT = { dice: 1, surface_dice: 1, hd95: 0, assd: 0 };
const MISSED = { dice: 0, surface_dice: 0, hd95: null, assd: null };
const NOWHERE = { dice: null, surface_dice: null, hd95: null, assd: null };

test("scores of empty masks, the table, and the tasks that one changed case runs", async () => {
  const project = await small();
  expect(ran(await project.json("build"))).toEqual(["cases", "score:a", "score:b", "score:c", "table"]);
  expect(scoresOf(project, "a").organs.liver).toMatchObject({ dice: 0.75, surface_dice: 1, hd95: 1 });
  expect(scoresOf(project, "b").organs).toEqual({ liver: PERFECT, spleen: NOWHERE });
  expect(scoresOf(project, "c").organs).toEqual({ liver: PERFECT, spleen: MISSED });

  const rows = project.read("tables/scores.md").split("\n").filter((line) => line.startsWith("|")); // prettier-ignore
  expect(
    rows.map((row) =>
      row
        .split("|")
        .slice(1, 5)
        .map((cell) => cell.trim()),
    ),
  ).toEqual([
    ["", "Dice (%)", "Surface Dice (%)", "HD95 (mm)"],
    ["---", "---:", "---:", "---:"],
    ["liver", "91.7 ± 11.8", "100.0 ± 0.0", "0.33 ± 0.47"],
    ["spleen", "50.0 ± 50.0 (n = 2)", "50.0 ± 50.0 (n = 2)", "0.00 ± 0.00 (n = 1)"],
    ["**overall**", "70.8 ± 36.3", "75.0 ± 35.4", "0.17 ± 0.33"],
  ]);
  const [head, liver = ""] = project.read("tables/scores.csv").split("\n");
  expect(head).toBe("label,metric,unit,mean,std,scores");
  expect(liver).toMatch(/^liver,dice,1,0\.91666666\d*,0\.11785113\d*,3$/);

  expect(project.read("tables/cases.csv").split("\n")).toEqual([
    "case,label,dice,surface_dice,hd95,assd",
    expect.stringMatching(/^a,liver,0\.75,1,1,0\.\d+$/),
    "a,spleen,1,1,0,0",
    "b,liver,1,1,0,0",
    "b,spleen,,,,",
    "c,liver,1,1,0,0",
    "c,spleen,0,0,,",
    "",
  ]);

  await volume(project, "prediction/b.nii.gz", [[1, 0, 1, 0]]);
  expect((await project.built()).ran).toEqual(["score:b", "table"]);
  expect((await project.built()).ran).toEqual([]);
});

test("conventions and tolerances can be set", async () => {
  const project = await small();
  params(project, (text) =>
    text.replace("both_empty: nan", "both_empty: 1").replace("units: mm", "units: voxel"),
  );
  params(project, (text) => text.replace("tolerance: 1", "tolerance: { liver: 0, spleen: 3 }"));
  params(project, (text) => text.replace("deviation: population", "deviation: sample"));
  params(project, (text) => text.replace("reference_slices: []", "reference_slices: [spleen]"));
  await project.built();
  expect(project.read("tables/scores.md")).toContain(
    "Scored only in the slices where the reference has the label: spleen.",
  );
  expect(scoresOf(project, "a").organs.liver?.surface_dice).toBeLessThan(1);
  expect(scoresOf(project, "b").organs.spleen).toEqual({ ...NOWHERE, dice: 1, surface_dice: 1 });
  expect(project.read("tables/scores.md")).toContain("| liver | 91.7 ± 14.4 |");
  expect(project.read("tables/scores.md")).toContain("within liver 0 voxel, spleen 3 voxel");

  params(project, (text) => text.replace("least_dice: 0", "least_dice: 0.8"));
  await project.built();
  expect(scoresOf(project, "a").organs.liver).toMatchObject({ dice: 0.75, surface_dice: 0 });
  expect(project.read("tables/scores.md")).toContain("A label with a Dice below 0.8 has Surface Dice 0.");

  params(project, (text) => text.replace("spleen: 3 }", "milt: 3 }"));
  params(project, (text) => text.replace("reference_slices: [spleen]", "reference_slices: [aorta]"));
  const { code, stderr } = await project.lq("build");
  expect(code).toBe(2);
  const said = stderr.split("\n").filter((line) => line.startsWith("params.yaml:"));
  expect(said).toEqual([
    expect.stringMatching(/^params.yaml:\d+:12: error: score:a: param .* there is none for spleen$/),
    expect.stringMatching(/^params.yaml:\d+:12: error: score:a: param .* no label is called "milt"$/),
    expect.stringMatching(/^params.yaml:\d+:21: error: score:a: param .* no label is called "aorta"$/),
  ]);
});

test("a copy without volumes says which files belong where", async () => {
  const { code, stderr } = await copied().lq("build");
  expect(code).toBe(2);
  expect(stderr).toContain("hint: put label maps there, as CASE.nii.gz");
});

test("a case in only one of the two folders is refused before any other task runs", async () => {
  const project = await small();
  await volume(project, "reference/d.nii.gz", []);
  await volume(project, "prediction/e.nii.gz", []);
  const { code, stdout, stderr } = await project.lq("build");
  expect(code).toBe(1);
  expect(stdout + stderr).toContain("reference/d.nii.gz: no volume of the same name in prediction/");
  expect(stdout + stderr).toContain("prediction/e.nii.gz: no volume of the same name in reference/");
  expect(project.has("scores")).toBe(false);
});

test("volumes on different grids fail; the error names the file and the difference", async () => {
  const project = await small();
  await volume(project, "prediction/c.nii.gz", [[1, 0, 0, 0]], 5);
  const { code, stdout, stderr } = await project.lq("build", "-k");
  expect(code).toBe(1);
  expect(stdout + stderr).toMatch(
    /prediction\/c\.nii\.gz: its voxels lie up to 5\.00 mm from those of .*reference\/c\.nii\.gz/,
  );
  expect(scoresOf(project, "b").organs.liver).toEqual(PERFECT);
});
