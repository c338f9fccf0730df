/** A cursor over bytes. Every read throws a TruncatedError if it would go beyond the end. */
export class Bytes {
  position: number;
  readonly #data: Uint8Array;
  readonly #view: DataView;

  constructor(data: Uint8Array, start = 0) {
    this.#data = data;
    this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    this.position = start;
  }

  #advance(length: number): number {
    const at = this.position;
    if (!(length >= 0) || at + length > this.#data.length)
      throw new TruncatedError(at, length, this.#data.length);
    this.position = at + length;
    return at;
  }

  u8(): number {
    return this.#data[this.#advance(1)]!;
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** An unsigned 64-bit integer, rounded to a number: a value beyond 2⁵³ is no valid length anyway. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  f64BigEndian(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** Little-endian two's complement integer of `length` bytes: a number if it is exact, otherwise a bigint. */
  long(length: number): number | bigint {
    if (length > 1024) throw new Error(`an integer of ${length} bytes is too long`);
    const bytes = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    if (length > 0 && bytes[length - 1]! & 0x80) value -= 1n << BigInt(8 * length);
    return BigInt(Number(value)) === value ? Number(value) : value;
  }

  /** A view, not a copy. */
  take(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#data.subarray(at, at + length);
  }

  latin1(length: number): string {
    return Buffer.from(this.take(length)).toString("latin1");
  }

  utf8(length: number): string {
    return Buffer.from(this.take(length)).toString("utf8");
  }

  /** The text up to the next newline, without the newline. */
  line(): string {
    const end = this.#data.indexOf(0x0a, this.position);
    const length = (end < 0 ? this.#data.length + 1 : end) - this.position;
    const text = this.latin1(length);
    this.position++;
    return text;
  }
}

/** The bytes end too early. */
export class TruncatedError extends Error {
  constructor(at: number, length: number, size: number) {
    super(`byte ${at}: ${length} more bytes are expected, but the data end at byte ${size}`);
  }
}
