/** The questions that a page may ask, each at an address below api/. The server itself asks more. */
export const PUBLIC_QUESTIONS: ReadonlySet<string> = new Set([
  "project",
  "task",
  "build",
  "neighbours",
  "results",
  "trace",
]);
