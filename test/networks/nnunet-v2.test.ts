import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { convertV2 } from "../../tasks/study/inference/nnunet-v2.ts";
import { readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";
import { backends } from "../helpers/torch.ts";
import { cutWindow, greatestDifference, run } from "../inference/golden-network.ts";
import { testFolder } from "../helpers/folder.ts";

interface Expected {
  readonly model: string;
  readonly folds: number[];
  readonly heads: number;
  readonly patch: number[];
  readonly mirroring_axes: number[] | null;
  readonly cases: Record<string, { window_start: number[] }>;
}

for (const name of ["m1", "m2", "m3", "m4"]) {
  const folder = shared(`golden/04_nnunet_v2/${name}`);
  test.skipIf(!folder)(`${name}: logits of one window within 6.4e-5 of nnU-Net v2`, async () => {
    const expected = JSON.parse(readFileSync(`${folder}/expected.json`, "utf8")) as Expected;
    const out = testFolder();
    const model = await convertV2(`${folder}/${expected.model}`, out);
    expect(model.folds.map(({ fold }) => Number(fold))).toEqual(expected.folds);
    expect(model.mirrorAxes).toEqual(expected.mirroring_axes ?? []);
    expect(readdirSync(out)).toContain("model.json");
    for (const [id, { window_start }] of Object.entries(expected.cases)) {
      const arrays = await readNpz(`${folder}/expected/${id}.npz`);
      const { data, shape } = arrays.get("preprocessed")!;
      const window = cutWindow(data, shape, window_start, expected.patch);
      const golden = arrays.get("window_logits_plain")!.data;
      const size = golden.length / model.folds.length;
      for (const [i, { file }] of model.folds.entries()) {
        for (const backend of backends) {
          const logits = await run(join(out, file), window, [1, shape[0]!, ...expected.patch], backend);
          const difference = greatestDifference(logits, golden.subarray(i * size, (i + 1) * size));
          console.info(`${name}/${id} fold ${i} on ${backend}: ${difference.toExponential(1)}`);
          expect(difference).toBeLessThan(6.4e-5);
        }
      }
    }
  });
}
