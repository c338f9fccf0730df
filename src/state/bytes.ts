/** Reads and writes the few types of fields in records, little-endian. */
import type { Signature } from "../files/signature.ts";

/** Size of a digest or key on disk. In memory it is a text of 64 hex digits. */
const DIGEST_BYTES = 32;

export class ByteWriter {
  #buffer = Buffer.allocUnsafe(512);
  #length = 0;

  u8(value: number): void {
    this.#room(1);
    this.#length = this.#buffer.writeUInt8(value, this.#length);
  }

  u32(value: number): void {
    this.#room(4);
    this.#length = this.#buffer.writeUInt32LE(value, this.#length);
  }

  f64(value: number): void {
    this.#room(8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  text(value: string): void {
    const bytes = Buffer.byteLength(value);
    this.u32(bytes);
    this.#room(bytes);
    this.#length += this.#buffer.write(value, this.#length);
  }

  digest(value: string): void {
    this.#room(DIGEST_BYTES);
    this.#length += this.#buffer.write(value, this.#length, "hex");
  }

  signature(value: Signature): void {
    this.f64(value.size);
    this.f64(value.mtimeMs);
    this.f64(value.ctimeMs);
    this.f64(value.ino);
  }

  /** The bytes that were written. Do not use the writer afterwards. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

export class ByteReader {
  readonly #buffer: Buffer;
  at: number;

  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer;
    this.at = at;
  }

  u8(): number {
    return this.#buffer.readUInt8(this.at++);
  }

  u32(): number {
    const value = this.#buffer.readUInt32LE(this.at);
    this.at += 4;
    return value;
  }

  f64(): number {
    const value = this.#buffer.readDoubleLE(this.at);
    this.at += 8;
    return value;
  }

  text(): string {
    const length = this.u32();
    const start = this.at;
    this.at += length;
    return this.#buffer.toString("utf8", start, this.at);
  }

  digest(): string {
    const start = this.at;
    this.at += DIGEST_BYTES;
    return this.#buffer.toString("hex", start, this.at);
  }

  signature(): Signature {
    return { size: this.f64(), mtimeMs: this.f64(), ctimeMs: this.f64(), ino: this.f64() };
  }
}
