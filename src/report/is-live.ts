/** Whether lines can be overwritten: true for a terminal with a cursor, false for a file or a pipe. */
export function isLive(stream: NodeJS.WriteStream): boolean {
  // A terminal without a width cannot show the live view.
  return stream.isTTY && stream.columns > 0 && process.env.TERM !== "dumb";
}
