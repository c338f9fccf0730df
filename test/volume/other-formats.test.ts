/**
 * NRRD and MetaImage, written by Python (write_volumes.py): every voxel equal, positions within 1e-9 mm. DICOM series:
 * every voxel equal, positions within 1e-4 mm, because DICOM has ten digits and NIfTI's affine single precision.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readDicomSeries } from "../../tasks/study/volume/dicom.ts";
import { toCanonical } from "../../tasks/study/volume/orient.ts";
import { readOtherFormat } from "../../tasks/study/volume/other-formats.ts";
import { HOME } from "../helpers/bundle.ts";
import { writeDicomSeries } from "../helpers/dicom.ts";
import { testFolder } from "../helpers/folder.ts";
import { hasModule, runPython } from "../helpers/python.ts";

interface Written {
  readonly file: string;
  readonly type: string;
  readonly values: readonly number[];
  readonly affine: readonly number[];
}

const [COS, SIN] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];

function expectNear(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  const apart = actual.map((value, i) => Math.abs(value - expected[i]!));
  expect(Math.max(...apart)).toBeLessThanOrEqual(tolerance);
}

describe.skipIf(!hasModule("numpy"))("NRRD and MetaImage", () => {
  const folder = testFolder();
  let files: readonly Written[] = [];
  beforeAll(() => {
    const said = runPython(`${HOME}test/volume/write_volumes.py`, folder);
    ({ files } = JSON.parse(said) as { files: Written[] });
  });

  /** Changes a file while something is checked. */
  async function changed(
    file: string,
    change: (bytes: Buffer) => Buffer,
    check: (path: string) => Promise<void>,
  ) {
    const path = join(folder, file);
    const before = readFileSync(path);
    writeFileSync(path, change(before));
    await check(path);
    writeFileSync(path, before);
  }

  test("every type, byte order, encoding and space, in one file or two", async () => {
    expect(files).toHaveLength(55);
    for (const { file, type, values, affine } of files) {
      const volume = await readOtherFormat(join(folder, file));
      expect([file, volume.size]).toEqual([file, [5, 4, 3]]);
      expect([file, [...volume.data]]).toEqual([file, values]);
      const stored = type.endsWith("64") ? "float64" : type;
      expect([file, volume.data.constructor.name.toLowerCase()]).toEqual([file, `${stored}array`]);
      expectNear(volume.affine, affine, 1e-9);
      expectNear(volume.spacing, [0.7, 0.8, 2.5], 1e-9);
    }
  });

  test.for<[file: string, from: string, to: string, message: RegExp]>([
    ["int16-little.nrrd", "sizes: 5 4 3", "sizes: 5 4 30000", /states 5×4×30000 voxels of int16, more than/],
    ["gzip.nrrd", "sizes: 5 4 3", "sizes: 5 4 9000000", /more than the file can hold/],
    ["gzip.nrrd", "sizes: 5 4 3", "sizes: 5 4 4", /but 80 bytes of them are missing/],
    ["int16-little.nrrd", "sizes: 5 4 3", "sizes: 5 -4 3", /"sizes" is "5 -4 3", not three whole numbers/],
    ["int16-little.nrrd", "sizes: 5 4 3", "sizes: 5 4 1e99", /not three whole numbers/],
    ["int16-little.nrrd", "dimension: 3", "dimension: 4", /has 4 dimensions/],
    ["int16-little.nrrd", "encoding: raw", "encoding: bzip2", /encoding is "bzip2"; lq reads raw and gzip/],
    ["int16-little.nrrd", "type: short", "type: block", /voxels of type "block" are not supported/],
    ["int16-little.nrrd", "endian: little", "endian: middle", /endian is "middle"/],
    ["int16-little.nrrd", "endian: little", "# ", /no field "endian"/],
    ["int16-little.nrrd", "space: left", "space: scanner-xyz-left", /its space is "scanner-xyz-left/],
    ["int16-little.nrrd", "(0.0,0.0,-2.5)", "(0.0,0.0,0.0)", /its space is singular/],
    ["int16-little.nrrd", "(0.0,0.0,-2.5)", "none", /not 3 vectors of three numbers/],
    ["beside.nhdr", "data file: beside.raw", "data file: ../beside.raw", /"\.\.\/beside\.raw", but lq reads/],
    ["beside.nhdr", "data file: beside.raw", "data file: /etc/passwd", /"\/etc\/passwd", but lq reads only/],
    ["beside.nhdr", "data file: beside.raw", "data file: beside.img", /there is no such file/],
    ["skip.nhdr", "byte skip: 11", "byte skip: 12", /more than the file can hold/],
    ["gzip.nrrd", "encoding: gzip", "encoding: gzip\nbyte skip: 4", /skips lines or compressed bytes/],
    ["int16-little.mha", "DimSize = 5 4 3", "DimSize = 5 4 30000", /more than the file can hold/],
    ["int16-little.mha", "NDims = 3", "NDims = 2", /NDims is 2, which lq does not support/],
    ["int16-little.mha", "BinaryData = True", "BinaryData = False", /BinaryData is False/],
    ["int16-little.mha", "NDims = 3", "NDims = 3\nElementNumberOfChannels = 3", /NumberOfChannels is 3/],
    ["int16-little.mha", "ElementType = MET_SHORT", "ElementType = MET_STRING", /MET_STRING, which lq does/],
    ["int16-little.mha", "ElementSpacing = 0.7", "ElementSpacing = -0.7", /not above 0 along each axis/],
    ["int16-little.mha", "ElementDataFile = LOCAL", "ElementDataFile = LIST", /in several files/],
    [
      "int16-little.mha",
      "ElementDataFile = LOCAL",
      "ElementDataFile = /etc/passwd",
      /lq reads only a file of/,
    ],
    ["int16-little.mha", "ElementDataFile", "ElementFile", /its header has no ElementDataFile/],
    ["zlib.mha", "CompressedData = True", "CompressedData = True\nHeaderSize = x", /HeaderSize is x/],
  ])("%s with %j as %j is refused by name", async ([file, from, to, message]) => {
    const edit = (bytes: Buffer) => {
      const text = bytes.toString("latin1");
      expect(text).toContain(from);
      return Buffer.from(text.replace(from, to), "latin1");
    };
    await changed(file, edit, async (path) => {
      await expect(readOtherFormat(path)).rejects.toThrow(message);
      await expect(readOtherFormat(path)).rejects.toThrow(path);
    });
  });

  test.for(["zlib.mha", "gzip.nrrd", "int16-little.mha", "beside.raw"])("%s cut short is refused", (file) =>
    changed(
      file,
      (bytes) => bytes.subarray(0, bytes.length - 20),
      async (path) => {
        const header = path.replace(".raw", ".nhdr");
        await expect(readOtherFormat(header)).rejects.toThrow(
          /truncated|missing|more than the file can hold/,
        );
        await expect(readOtherFormat(header)).rejects.toThrow(header);
      },
    ),
  );

  test("a file of another kind is refused", () =>
    changed(
      "gzip.nrrd",
      () => Buffer.from("PNG"),
      (path) => expect(readOtherFormat(path)).rejects.toThrow("it does not begin like a NRRD file"),
    ));
});

describe("a DICOM series", () => {
  const size = [10, 8, 6] as const;
  const spacing = [0.8, 0.7, 2.5] as const;
  /** Axial slices of a patient on the back: rows to the left, columns to the back. */
  const affine = [-0.8, 0, 0, 20, 0, -0.7, 0, 30, 0, 0, 2.5, -100, 0, 0, 0, 1];
  const data = Int16Array.from({ length: 480 }, (_, i) => ((i * 37) % 2000) - 1000);
  const filesIn = (folder: string) => readdirSync(folder).map((name) => join(folder, name));

  test.for([
    ["axial", affine],
    [
      "turned by 30°",
      [-0.8 * COS, 0.7 * SIN, 0, 20, -0.8 * SIN, -0.7 * COS, 0, 30, 0, 0, 2.5, -100, 0, 0, 0, 1],
    ],
    ["coronal", [-0.8, 0, 0, 20, 0, 0, 2.5, -100, 0, -0.7, 0, 30, 0, 0, 0, 1]],
  ] as const)("%s slices are the volume, whatever the names of its files", async ([, affine]) => {
    const folder = testFolder({ "series/notes.txt": "no DICOM" });
    const volume = { data, size, spacing, affine };
    writeDicomSeries(join(folder, "series"), volume);
    const read = await readDicomSeries("series/", filesIn(join(folder, "series")), () => undefined);
    const [actual, expected] = [toCanonical(read), toCanonical(volume)];
    expect(actual.size).toEqual(expected.size);
    expect([...actual.data]).toEqual([...expected.data]);
    expectNear(actual.affine, expected.affine, 1e-4);
    // Rows and columns as in DICOM, slices along their cross product: the order of ITK and of labels drawn with it.
    if (affine[6] === 0) expectNear(read.affine, affine, 1e-4);
    expect(process.exitCode).toBeUndefined();
  });

  test("two series, and no DICOM at all, are refused by name", async () => {
    const folder = testFolder({ "none/a": "no DICOM" });
    const volume = { data, size, spacing, affine };
    writeDicomSeries(join(folder, "one"), volume);
    writeDicomSeries(join(folder, "two"), volume, "1.2.826.0.1.3680043.8.498.7");
    const both = [...filesIn(join(folder, "one")), ...filesIn(join(folder, "two"))];
    await expect(readDicomSeries("ct/", both, () => undefined)).rejects.toThrow(
      /^ct\/: it holds 2 volumes \(.*\), but one series is expected$/,
    );
    await expect(readDicomSeries("ct/", filesIn(join(folder, "none")), () => undefined)).rejects.toThrow(
      /^ct\/: dcm2niix finds no volume in its 1 files: Unable to find any DICOM images/,
    );
  });
});
