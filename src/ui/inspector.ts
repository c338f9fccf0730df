/**
 * The program of the process that knows the project for the server: graph, records, plan. The server starts it for a
 * question and ends it when no question came for a while. So the server itself stays small and answers at once.
 */
import { userErrorOf } from "../model/errors.ts";
import { settingsFiles } from "./answers/watched-files.ts";
import { brokenProject } from "./answers/project.ts";
import { Inspection } from "./inspect-project.ts";
import type { InspectorReply, InspectorRequest, InspectorSetup } from "./inspector-client.ts";
import { answer } from "./questions.ts";

const { flags, root } = JSON.parse(process.argv[2] ?? "{}") as InspectorSetup;
let generation = -1;
let inspection: Promise<Inspection> | undefined;

// Answer one question after the other. After the first inspection, an answer takes only milliseconds.
let last: Promise<unknown> = Promise.resolve();
process.on("message", (request: InspectorRequest) => {
  last = last.then(() => reply(request));
});
process.on("disconnect", () => process.exit(0));
process.on("SIGINT", () => undefined);

async function reply(request: InspectorRequest): Promise<void> {
  const { id } = request;
  const send = (text: InspectorReply): void => void process.send?.(text);
  try {
    send({ id, text: JSON.stringify(await answerTo(request)) });
  } catch (error) {
    const told = userErrorOf(error);
    if (told === undefined) throw error;
    send({ id, error: told.message });
  }
}

async function answerTo({ name, query, generation: wanted }: InspectorRequest): Promise<unknown> {
  if (inspection === undefined || wanted > generation) {
    generation = wanted;
    inspection = Inspection.of(flags);
  }
  try {
    return answer(await inspection, name, new URLSearchParams(query));
  } catch (error) {
    const told = userErrorOf(error);
    if (told !== undefined && name === "watched") return settingsFiles(root);
    if (told === undefined || name !== "project") throw error;
    return brokenProject(root, told.diagnostics.map(({ message }) => message).join("\n"));
  }
}
