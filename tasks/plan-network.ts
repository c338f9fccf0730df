/** Writes the patch and the network of a dataset's trainings: as params say, or planned from the dataset. */
import { task } from "lq";
import { z } from "zod";
import { readJson, writeJson } from "./study/json.ts";
import { network, planning, triple } from "./study/params/settings.ts";
import { planNetwork } from "./study/training/plan-network.ts";

const millimetres = z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]);
const shape = z.object({ spacing: millimetres, size: millimetres });

const auto = <T extends z.ZodType>(schema: T) =>
  z.unknown().transform((value, context) => {
    if (value === "auto") return null;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const { message, path } of parsed.error.issues)
      context.addIssue({ code: "custom", path, message: `${message} (or auto)` });
    return z.NEVER;
  });

export default task({
  params: z.strictObject({
    /** auto: planned for the dataset's median spacing and size. */
    network: auto(network),
    patch: auto(triple),
    planning,
  }),
  run({ params, input, output, log }) {
    const planned = planNetwork(readJson(input(), shape), params.planning);
    const plan = { patch: params.patch ?? planned.patch, network: params.network ?? planned.network };
    writeJson(output(), plan);
    log(`patch ${plan.patch.join("×")}, strides ${JSON.stringify(plan.network.strides)}`);
  },
});
