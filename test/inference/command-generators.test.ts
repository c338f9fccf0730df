/** Any command can generate pseudo-labels: nnUNetv2_predict works on folders, TotalSegmentator on one file. */
import { chmodSync } from "node:fs";
import { expect, test } from "vitest";
import { cliProject } from "../helpers/cli.ts";

const pipeline = (totalsegmentator: string, nnunet: string) => `version: 1
rules:
  totalsegmentator:
    each: { case: { glob: "images/*_0000.nii.gz" } }
    cmd: ${totalsegmentator} -i \${in.image} -o \${out} --ml
    tools: ["${totalsegmentator} --version"]
    in: { image: "images/\${case}_0000.nii.gz" }
    out: "labels/totalsegmentator/\${case}.nii.gz"
  nnunet:
    each: { case: { glob: "images/*_0000.nii.gz" } }
    cmd: |
      work=$(mktemp -d)
      trap 'rm -r "$work"' EXIT
      mkdir "$work/in" "$work/out"
      cp \${in.image} "$work/in/case_0000.nii.gz"
      ${nnunet} -i "$work/in" -o "$work/out" -m \${in.model}
      mv "$work/out/case.nii.gz" \${out}
    in: { image: "images/\${case}_0000.nii.gz", model: model/ }
    out: "labels/nnunet/\${case}.nii.gz"
`;

const fake = {
  "bin/TotalSegmentator": `#!/bin/sh
[ "$1" = --version ] && { echo 2.4.0; exit; }
[ "$1 $3 $5" = "-i -o --ml" ] && { echo totalsegmentator; cat "$2"; } > "$4"
`,
  "bin/nnUNetv2_predict_from_modelfolder": `#!/bin/sh
[ "$1 $3 $5" = "-i -o -m" ] && { cat "$6/plans.json" "$2/case_0000.nii.gz"; } > "$4/case.nii.gz"
`,
};

test("commands of other packages are rules; with a new version of the tool they run again", async () => {
  const project = cliProject({
    ...fake,
    "pipeline.yaml": pipeline("bin/TotalSegmentator", "bin/nnUNetv2_predict_from_modelfolder"),
    "model/plans.json": "plans\n",
    "images/a_0000.nii.gz": "image a\n",
    "images/b_0000.nii.gz": "image b\n",
  });
  for (const path of Object.keys(fake)) chmodSync(project.path(path), 0o755);
  const built = await project.lq("build", "labels/");
  expect(built.stderr).toBe("");
  expect(built.code).toBe(0);
  expect(project.read("labels/totalsegmentator/b.nii.gz")).toBe("totalsegmentator\nimage b\n");
  expect(project.read("labels/nnunet/a.nii.gz")).toBe("plans\nimage a\n");

  project.write("bin/TotalSegmentator", fake["bin/TotalSegmentator"].replace("2.4.0", "2.5.0"));
  const again = await project.json("build", "labels/");
  const ran = again.filter(({ outcome }) => outcome === "ran").map(({ task }) => task);
  expect(ran.sort()).toEqual(["totalsegmentator:a", "totalsegmentator:b"]);
});
