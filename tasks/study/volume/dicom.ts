/**
 * Reads a DICOM series with dcm2niix. It sorts the slices, decompresses them, and gives Hounsfield units and positions
 * as its command-line program does. It runs as WebAssembly and sees no file but those of the series.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import dcm2niix from "@niivue/dcm2niix?file";
import { readNifti } from "./nifti.ts";
import type { Volume } from "./volume.ts";

/**
 * @param folder the series' name in messages
 * @param files its files; others than DICOM are passed over
 * @param warn gets the warnings of dcm2niix
 * @throws Error if the files are not one volume
 */
export async function readDicomSeries(
  folder: string,
  files: readonly string[],
  warn: (text: string) => void,
): Promise<Volume> {
  const { volumes, lines } = await convert(files);
  const said = lines.map((line) => line.replace(/^Error: /, ""));
  for (const line of said)
    if (line.startsWith("Warning: ")) warn(`${folder}: ${line.slice("Warning: ".length)}`);
  const [volume] = volumes;
  if (volumes.length !== 1 || volume === undefined) {
    const found = volumes.map(({ name }) => name.replace(/\.nii$/, "")).join(", ");
    const what =
      volumes.length === 0
        ? `dcm2niix finds no volume in its ${files.length} files: ${said.at(-1) ?? "it says nothing"}`
        : `it holds ${volumes.length} volumes (${found}), but one series is expected`;
    throw new Error(`${folder}: ${what}`);
  }
  const temporary = await mkdtemp(join(tmpdir(), "lq-dicom-"));
  try {
    const path = join(temporary, volume.name);
    await writeFile(path, volume.bytes);
    return await readNifti(path);
  } finally {
    await rm(temporary, { recursive: true });
  }
}

/**
 * Names of results from the series' number and description, no compression, no sidecar, no rotation; rows are not
 * flipped (-y n), so that the order of voxels is that of ITK, and of labels that were drawn in Slicer or ITK-SNAP.
 */
const OPTIONS = ["-f", "%s_%d", "-z", "n", "-b", "n", "-x", "i", "-y", "n"];

/** What lq uses of dcm2niix, compiled with Emscripten. The package's own entry needs a browser's workers. */
interface Program {
  readonly FS: {
    mkdir(path: string): void;
    writeFile(path: string, bytes: Uint8Array): void;
    readFile(path: string): Uint8Array;
    readdir(path: string): string[];
  };
  /** Runs the program. Returns its exit code. */
  callMain(args: readonly string[]): number;
}

type CreateProgram = (options: {
  readonly noInitialRun: true;
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
}) => Promise<Program>;

async function convert(files: readonly string[]) {
  const url = new URL("dcm2niix.jpeg.js", pathToFileURL(dcm2niix));
  const { default: create } = (await import(url.href)) as { default: CreateProgram };
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  const program = await create({ noInitialRun: true, print, printErr: print });
  program.FS.mkdir("/in");
  program.FS.mkdir("/out");
  for (const [i, file] of files.entries()) program.FS.writeFile(`/in/${i}`, await readFile(file));
  const { exitCode } = process;
  try {
    program.callMain([...OPTIONS, "-o", "/out", "/in"]);
  } catch (error) {
    lines.push(`dcm2niix failed: ${(error as Error).message}`);
  } finally {
    process.exitCode = exitCode; // it sets that of this process
  }
  const volumes = program.FS.readdir("/out")
    .filter((name) => name.endsWith(".nii"))
    .sort()
    .map((name) => ({ name, bytes: program.FS.readFile(`/out/${name}`) }));
  return { volumes, lines };
}
