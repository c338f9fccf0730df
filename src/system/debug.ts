/**
 * `LQ_DEBUG=load,plan lq build` makes the engine say on stderr what it does and why: a line each, with the area first.
 *
 *     debug.plan?.(`${task.id}: ${verdict.kind}`);
 *
 * When an area is off its function is undefined, so the text is never built.
 */
import { UserError } from "../model/errors.ts";

/** docs/reference/commands.md says what each area reports. */
export const DEBUG_AREAS = ["load", "plan", "snapshot", "slots", "exec"] as const;

type Area = (typeof DEBUG_AREAS)[number];

const wanted = (process.env["LQ_DEBUG"] ?? "").split(",").filter((name) => name !== "");

export const debug: { readonly [area in Area]?: (text: string) => void } = Object.fromEntries(
  DEBUG_AREAS.filter((area) => wanted.includes(area) || wanted.includes("all")).map((area) => [
    area,
    (text: string) => void process.stderr.write(`${area}: ${inOneLine(text)}\n`),
  ]),
);

/** @throws UserError for an unknown area */
export function refuseUnknownAreas(): void {
  const unknown = wanted.find((name) => name !== "all" && !DEBUG_AREAS.some((area) => area === name));
  if (unknown === undefined) return;
  const hint = `known: ${DEBUG_AREAS.join(", ")}, all`;
  throw new UserError({ message: `LQ_DEBUG names "${unknown}", which is not an area`, hint });
}

/** Replaces control characters, because names must neither end the line nor control the terminal. */
function inOneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "\u00b7");
}
