/** Lists a dataset's cases. It reads file names only, no file's content. */
import { task } from "lq";
import { z } from "zod";
import { writeCaseList } from "./study/datasets/case-list.ts";
import { listCases } from "./study/datasets/list-cases.ts";

export default task({
  params: z.strictObject({
    layout: z.string(),
    root: z.string(),
    phantom: z.unknown(),
    /** Folder for volumes that are converted to NIfTI. */
    converted: z.string(),
  }),
  run({ names, output, params: { layout, root, phantom, converted }, log }) {
    const { warnings, ...found } = listCases(layout, root, names("folder"), converted);
    warnings.forEach(log);
    writeCaseList(output(), { layout, synthetic: phantom !== null, ...found });
  },
});
