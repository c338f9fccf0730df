/**
 * Finds `${…}` inside quotes of a shell command. lq quotes each value that it fills in. Inside quotes of the user,
 * these would end the user's quotes, and text from a file name could run as a command.
 */
import type { Template, TemplatePart } from "../model/model.ts";

export type Filled = Exclude<TemplatePart, { readonly kind: "text" }>;

/** The `${…}` of a bash command that are inside quotes, in the order of the text. */
export function quotedParts(command: Template): Filled[] {
  const quoted: Filled[] = [];
  // Open quotes and substitutions, outermost first: ' or ", and ) for an open $( or (.
  const open: string[] = [];
  let comment = false;
  for (const part of command.parts) {
    if (part.kind !== "text") {
      const inner = open.at(-1);
      if (inner === "'" || inner === '"' || inner === "`") quoted.push(part);
      continue;
    }
    const { text } = part;
    for (let i = 0; i < text.length; i++) {
      const char = text.charAt(i);
      const inner = open.at(-1);
      if (comment) comment = char !== "\n";
      else if (inner === "'") {
        if (char === "'") open.pop();
      } else if (char === "\\") i++;
      else if (char === inner) open.pop();
      else if (char === "`" || char === '"') open.push(char);
      else if (char === "(" && (inner !== '"' || text[i - 1] === "$")) open.push(")");
      else if (char === "'" && inner !== '"') open.push(char);
      else if (char === "#" && inner !== '"') comment = i === 0 || /\s/.test(text.charAt(i - 1));
    }
  }
  return quoted;
}
