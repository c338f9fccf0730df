/** Parsers for the values of flags. Each throws InvalidArgumentError, which names the flag to the user. */
import { InvalidArgumentError } from "commander";
import { bytesOf, sizeMeant } from "../system/sizes.ts";

export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError("Give a whole number, 1 or more.");
  return value;
}

/** @returns bytes */
export function size(text: string): number {
  const bytes = bytesOf(text);
  if (bytes === null) throw new InvalidArgumentError("Write it as in 512MiB or 50GiB.");
  const meant = sizeMeant(text);
  if (meant !== null) throw new InvalidArgumentError(`That would be ${text} bytes. Write ${meant}.`);
  return bytes;
}

export function days(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0)) throw new InvalidArgumentError("Give a number, 0 or more.");
  return value;
}

/** For a flag that may be given several times. */
export function append(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

export function port(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65535) throw new InvalidArgumentError("Give a number from 0 to 65535.");
  return value;
}
