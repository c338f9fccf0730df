/** Reads and writes sizes in the form that people use. */

const UNITS: { readonly [unit: string]: number } = {
  "": 1,
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Bytes of a text such as `512MiB`, `4 GB` or `1000`; null if the text is not a size. */
export function bytesOf(text: string): number | null {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text) ?? [];
  const scale = number !== "" && Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  return scale === undefined ? null : Math.round(Number(number) * scale);
}

/**
 * The size that a user probably meant by a plain number that is too small to be bytes: "16GiB" for "16". Null for 0 and
 * for a text that is not such a number.
 */
export function sizeMeant(text: string): string | null {
  const number = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : 0;
  if (number === 0 || number >= 2 ** 20) return null;
  return `${text}${number < 1024 ? "GiB" : "MiB"}`;
}

/** "4.2 GiB", "80 GiB" */
export function sizeText(bytes: number): string {
  const unit = ["TiB", "GiB", "MiB", "KiB"].find((name) => bytes >= (UNITS[name] ?? 1)) ?? "B";
  return `${Math.round((bytes / (UNITS[unit] ?? 1)) * 10) / 10} ${unit}`;
}
