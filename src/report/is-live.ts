/** Whether lines can be drawn over where a stream is shown: not in a file or a pipe, nor where there is no cursor. */
export function isLive(stream: NodeJS.WriteStream): boolean {
  // A terminal without a width shows nothing that is drawn.
  return stream.isTTY && stream.columns > 0 && process.env.TERM !== "dumb";
}
