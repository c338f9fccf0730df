/** The questions that a page may ask, each an address below api/; the server asks more. */
export const PUBLIC_QUESTIONS: ReadonlySet<string> = new Set([
  "project",
  "task",
  "build",
  "results",
  "trace",
]);
