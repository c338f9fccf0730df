/** Figure 1: one slice of one case, once for each version of its labels. */
import { writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { renderQualitative } from "./study/figures/qualitative.ts";
import { inOrder } from "./study/results/results.ts";
import { syntheticSources, names } from "./study/results/settings.ts";
import { interval, readStatistics } from "./study/params/settings.ts";
import { readLabels, readNifti } from "./study/volume/nifti.ts";

export default task({
  params: z.strictObject({
    names,
    figure: z.strictObject({
      dataset: z.string(),
      case: z.string(),
      window: interval,
    }),
  }),
  async run({ files, input, output, params: { names: display, figure } }) {
    const { labels } = readStatistics(input("stats"));
    const found = new Map(
      files("labels")
        .filter(({ name }) => name.endsWith(`/${figure.case}.nii`))
        .map(({ name, path }) => [name.slice(0, name.indexOf("/")), path]),
    );
    const versions = await Promise.all(
      inOrder(found.keys(), display).map(async (key) => ({
        name: display[key] ?? key,
        labels: await readLabels(found.get(key) ?? ""),
      })),
    );
    const image = await readNifti(input("image"));
    const synthetic = syntheticSources([{ name: "cases", path: input("cases") }]).size > 0;
    const heading = `${display[figure.dataset] ?? figure.dataset} ${figure.case}, one slice under every label version`;
    const png = renderQualitative({
      heading: [heading, ...(synthetic ? ["Synthetic phantom, not a patient"] : [])],
      image,
      window: figure.window,
      versions,
      organs: Object.entries(labels).map(([name, id]) => ({ name, id })),
      slice: fullestSlice(versions[0]?.labels.data ?? [], image.size),
    });
    writeFileSync(output(), png);
  },
});

/** Index of the axial slice that shows the most labels. Where several slices show as many, the middle one of them. */
function fullestSlice(labels: ArrayLike<number>, [nx, ny, nz]: readonly [number, number, number]): number {
  const counts = Array.from({ length: nz }, (_, z) => {
    const seen = new Set<number>();
    for (let i = nx * ny * z; i < nx * ny * (z + 1); i++) seen.add(labels[i] ?? 0);
    return seen.size;
  });
  const most = Math.max(...counts);
  const fullest = counts.flatMap((count, z) => (count === most ? [z] : []));
  return fullest[Math.floor(fullest.length / 2)] ?? 0;
}
