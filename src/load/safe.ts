/** Why a value from a file or a file name cannot be part of a path; null if it can. */
export function unsafe(text: string): string | null {
  if (text === "") return "is empty";
  if (text.includes("\0")) return "has a NUL character in it";
  if (text.startsWith("/")) return "is an absolute path";
  if (/(^|\/)\.{0,2}(\/|$)/.test(text)) return 'has an empty, "." or ".." part';
  return null;
}
