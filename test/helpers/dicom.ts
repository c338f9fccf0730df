/** Writes uncompressed CT slices as DICOM files (explicit VR, little-endian), independently of dcm2niix. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Volume } from "../../tasks/study/volume/volume.ts";

type Element = readonly [group: number, element: number, vr: string, value: string | Uint8Array | number];

const CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2";
const EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1";
const SERIES = "1.2.826.0.1.3680043.8.498.1";

/**
 * One file for each slice along the last axis, in the folder, in shuffled order of names. Stored values are Hounsfield
 * units + 1024. Rows run along the first axis of the volume.
 */
export function writeDicomSeries(folder: string, volume: Volume, series = SERIES): void {
  mkdirSync(folder, { recursive: true });
  const [nx, ny, nz] = volume.size;
  for (let z = 0; z < nz; z++) {
    const slice = Uint16Array.from(volume.data.subarray(z * nx * ny, (z + 1) * nx * ny), (hu) => hu + 1024);
    writeFileSync(
      join(folder, `IM${String((z * 7) % 1000).padStart(4, "0")}`),
      file(volume, z, slice, series),
    );
  }
}

function file({ size, spacing, affine }: Volume, z: number, pixels: Uint16Array, series: string): Buffer {
  const lps = (column: number) => [-affine[column]!, -affine[4 + column]!, affine[8 + column]!];
  const unit = (column: number) => lps(column).map((mm) => mm / spacing[column]!);
  const position = lps(3).map((mm, i) => mm + z * lps(2)[i]!);
  const numbers = (values: readonly number[]) =>
    values.map((v) => String(Number(v.toPrecision(10)))).join("\\");
  const instance = `${series}.${z + 1}`;
  const meta = encode([
    [0x0002, 0x0001, "OB", Uint8Array.of(0, 1)],
    [0x0002, 0x0002, "UI", CT_IMAGE],
    [0x0002, 0x0003, "UI", instance],
    [0x0002, 0x0010, "UI", EXPLICIT_LITTLE_ENDIAN],
  ]);
  const body = encode([
    [0x0008, 0x0008, "CS", "ORIGINAL\\PRIMARY\\AXIAL"],
    [0x0008, 0x0016, "UI", CT_IMAGE],
    [0x0008, 0x0018, "UI", instance],
    [0x0008, 0x0020, "DA", "20200101"],
    [0x0008, 0x0030, "TM", "120000"],
    [0x0008, 0x0060, "CS", "CT"],
    [0x0008, 0x0070, "LO", "TEST"],
    [0x0010, 0x0010, "PN", "Phantom"],
    [0x0010, 0x0020, "LO", "1"],
    [0x0018, 0x0050, "DS", numbers([spacing[2]])],
    [0x0020, 0x000d, "UI", `${SERIES}.0`],
    [0x0020, 0x000e, "UI", series],
    [0x0020, 0x0011, "IS", series.split(".").at(-1)!],
    [0x0020, 0x0013, "IS", String(z + 1)],
    [0x0020, 0x0032, "DS", numbers(position)],
    [0x0020, 0x0037, "DS", numbers([...unit(0), ...unit(1)])],
    [0x0020, 0x0052, "UI", `${SERIES}.2`],
    [0x0028, 0x0002, "US", 1],
    [0x0028, 0x0004, "CS", "MONOCHROME2"],
    [0x0028, 0x0010, "US", size[1]],
    [0x0028, 0x0011, "US", size[0]],
    [0x0028, 0x0030, "DS", numbers([spacing[1], spacing[0]])],
    [0x0028, 0x0100, "US", 16],
    [0x0028, 0x0101, "US", 16],
    [0x0028, 0x0102, "US", 15],
    [0x0028, 0x0103, "US", 0],
    [0x0028, 0x1052, "DS", "-1024"],
    [0x0028, 0x1053, "DS", "1"],
    [0x7fe0, 0x0010, "OW", new Uint8Array(pixels.buffer)],
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  const group = encode([[0x0002, 0x0000, "UL", length]]);
  return Buffer.concat([Buffer.alloc(128), Buffer.from("DICM"), group, meta, body]);
}

function encode(elements: readonly Element[]): Buffer {
  return Buffer.concat(
    elements.flatMap(([group, element, vr, value]) => {
      let bytes: Buffer;
      if (typeof value === "number") {
        bytes = Buffer.alloc(2);
        bytes.writeUInt16LE(value);
      } else bytes = Buffer.from(value as string);
      if (bytes.length % 2 > 0) bytes = Buffer.concat([bytes, Buffer.from(vr === "UI" ? "\0" : " ")]);
      const long = vr === "OB" || vr === "OW";
      const head = Buffer.alloc(long ? 12 : 8);
      head.writeUInt16LE(group, 0);
      head.writeUInt16LE(element, 2);
      head.write(vr, 4);
      if (long) head.writeUInt32LE(bytes.length, 8);
      else head.writeUInt16LE(bytes.length, 6);
      return [head, bytes];
    }),
  );
}
