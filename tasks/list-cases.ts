/** Lists a dataset's cases. It reads file names only, no file's content. */
import { task } from "lq";
import { z } from "zod";
import { writeCaseList } from "./study/datasets/case-list.ts";
import { listCases } from "./study/datasets/list-cases.ts";

export default task({
  params: z.strictObject({ layout: z.string(), root: z.string(), phantom: z.unknown() }),
  run({ names, output, params: { layout, root, phantom }, log }) {
    const { warnings, ...found } = listCases(layout, root, names("folder"));
    warnings.forEach(log);
    writeCaseList(output(), { layout, synthetic: phantom !== null, ...found });
  },
});
