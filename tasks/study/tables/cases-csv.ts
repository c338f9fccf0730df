import type { CaseScores } from "../results/results.ts";
import { quote } from "./csv.ts";

/** One line for each case and organ, in full precision, for tests elsewhere. An undefined score is an empty field. */
export function renderCasesCsv(cases: readonly CaseScores[]): string {
  const lines = cases.flatMap(({ case: id, organs }) =>
    Object.entries(organs).map(([name, { dice, surface_dice, hd95, assd }]) =>
      [quote(id), quote(name), ...[dice, surface_dice, hd95, assd].map((score) => score ?? "")].join(","),
    ),
  );
  return ["case,label,dice,surface_dice,hd95,assd", ...lines, ""].join("\n");
}
