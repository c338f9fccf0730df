/** Figure 1: slices of cases, once for each version of their labels. */
import { basename } from "node:path";
import { task } from "lq";
import { z } from "zod";
import { drawQualitative, type ShownCase } from "./study/figures/qualitative.ts";
import { PLANES } from "./study/figures/slice.ts";
import { writeFigure } from "./study/figures/write.ts";
import { interval, readStatistics } from "./study/params/settings.ts";
import { inOrder } from "./study/results/results.ts";
import { names, syntheticSources } from "./study/results/settings.ts";
import { readLabels, readNifti } from "./study/volume/nifti.ts";

export default task({
  params: z.strictObject({
    names,
    figure: z.strictObject({
      dataset: z.string(),
      cases: z.array(z.string()).min(1),
      planes: z.array(z.enum(PLANES)).min(1),
      window: interval,
      labels: z.enum(["filled", "outlined"]),
    }),
  }),
  async run({ files, input, inputs, output, params: { names: display, figure } }) {
    const dataset = display[figure.dataset] ?? figure.dataset;
    const labels = files("labels");
    const cases = inputs("images").map(async (image): Promise<ShownCase> => {
      const name = basename(image, ".nii");
      const found = new Map(
        labels
          .filter((file) => file.name.endsWith(`/${name}.nii`))
          .map((file) => [file.name.slice(0, file.name.indexOf("/")), file.path]),
      );
      const versions = inOrder(found.keys(), display).map(async (key) => ({
        name: display[key] ?? key,
        labels: await readLabels(found.get(key) ?? ""),
      }));
      return {
        name: `${dataset} ${name}`,
        image: await readNifti(image),
        versions: await Promise.all(versions),
      };
    });
    const synthetic = syntheticSources([{ name: "cases", path: input("cases") }]).size > 0;
    const drawing = await drawQualitative({
      title: `Labels of every version, ${dataset}`,
      notice: synthetic ? "Synthetic phantoms, not patients." : null,
      cases: await Promise.all(cases),
      planes: figure.planes,
      window: figure.window,
      organs: Object.entries(readStatistics(input("stats")).labels).map(([name, id]) => ({ name, id })),
      labels: figure.labels,
    });
    await writeFigure(drawing, output);
  },
});
