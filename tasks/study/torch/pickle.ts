/**
 * Reads Python pickles (protocols 0 to 5) as data. Nothing is ever called or imported: a call of a global that the
 * dialect does not know becomes an inert `Opaque` node with its arguments.
 * Reference: CPython's Lib/pickletools.py.
 *
 * A dict becomes a Map, a list or tuple an array, a set a Set, bytes a Uint8Array, an integer beyond 2⁵³ a BigInt.
 * Each length is checked against the bytes that remain, so memory is bounded by the input's size.
 */
import { Bytes } from "./bytes.ts";
import { opcodes } from "./opcodes.ts";
import { Foreign, Global, Opaque, type Pickled } from "./values.ts";

/** Builds the values that the pickle format itself does not define. */
export interface Dialect {
  /** The value of a call of `module.name` with `args`, or undefined if the dialect does not know the name. */
  call(name: string, args: readonly Pickled[]): Pickled | undefined;
  /** The value of a persistent id. Throws an Error if it has none. */
  persistent(id: Pickled): Pickled;
}

/** The value of the pickle at `start`, and where the pickle ends. Throws an Error that says what is wrong with the bytes. */
export function readPickle(data: Uint8Array, dialect: Dialect, start = 0): { value: Pickled; end: number } {
  const machine = new Machine(new Bytes(data, start), dialect);
  const value = machine.run();
  return { value, end: machine.bytes.position };
}

/** A mark on the stack. It is never a value. */
const mark = Symbol("mark");
type Slot = Pickled | typeof mark;

/** The pickle machine: stack, memo and position. */
export class Machine {
  readonly bytes: Bytes;
  readonly #dialect: Dialect;
  readonly #stack: Slot[] = [];
  readonly #memo = new Map<number, Pickled>();

  constructor(bytes: Bytes, dialect: Dialect) {
    this.bytes = bytes;
    this.#dialect = dialect;
  }

  run(): Pickled {
    for (;;) {
      const at = this.bytes.position;
      const opcode = this.bytes.u8();
      if (opcode === 0x2e) return this.pop(); // STOP
      const act = opcodes[opcode];
      if (!act) throw new Error(`byte ${at}: 0x${opcode.toString(16)} is no pickle opcode that lq knows`);
      act(this);
    }
  }

  push(value: Pickled): void {
    this.#stack.push(value);
  }

  pushMark(): void {
    this.#stack.push(mark);
  }

  pop(): Pickled {
    const value = this.#stack.pop();
    if (value === undefined || value === mark)
      throw new Error(`byte ${this.bytes.position}: nothing to take`);
    return value;
  }

  top(): Pickled {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }

  /** Removes everything from the last mark on; returns the values above the mark. */
  popMark(): Pickled[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0) throw new Error(`byte ${this.bytes.position}: no mark on the stack`);
    const values = this.#stack.splice(at) as Pickled[];
    values.shift();
    return values;
  }

  dropTop(): void {
    if (this.#stack.pop() === undefined) throw new Error(`byte ${this.bytes.position}: nothing to drop`);
  }

  put(index: number): void {
    this.#memo.set(index, this.top());
  }

  memoize(): void {
    this.put(this.#memo.size);
  }

  get(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw new Error(`byte ${this.bytes.position}: memo ${index} is empty`);
    this.push(value);
  }

  call(of: Pickled, args: Pickled): void {
    const known =
      of instanceof Global && Array.isArray(args)
        ? this.#dialect.call(`${of.module}.${of.name}`, args)
        : undefined;
    this.push(known === undefined ? new Opaque(of, args) : known);
  }

  append(target: Pickled, values: readonly Pickled[]): void {
    if (Array.isArray(target)) for (const value of values) target.push(value);
    else if (target instanceof Set) for (const value of values) target.add(value);
    else if (!(target instanceof Opaque)) throw new Error(`byte ${this.bytes.position}: no list to add to`);
  }

  setItems(target: Pickled, items: readonly Pickled[]): void {
    if (items.length % 2) throw new Error(`byte ${this.bytes.position}: a key without a value`);
    if (target instanceof Map) {
      for (let i = 0; i < items.length; i += 2) target.set(items[i]!, items[i + 1]!);
    } else if (!(target instanceof Opaque)) throw new Error(`byte ${this.bytes.position}: no dict to set in`);
  }

  build(): void {
    const state = this.pop();
    const target = this.top();
    if (target instanceof Foreign) target.build(state);
    else if (target instanceof Opaque) target.state = state;
    // Ignore attributes of a dict or list, such as an OrderedDict's _metadata: plain data have none.
  }

  persistent(id: Pickled): void {
    this.push(this.#dialect.persistent(id));
  }
}
