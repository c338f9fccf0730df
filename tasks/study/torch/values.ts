/** The plain data that a pickle can contain. */

export type Pickled =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Pickled[]
  | Map<Pickled, Pickled>
  | Set<Pickled>
  | Global
  | Opaque
  | Foreign;

/** The name of a Python class or function. It is never called. */
export class Global {
  readonly module: string;
  readonly name: string;
  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }
}

/** A call of an unknown global as inert data: the callee, its arguments and its state. */
export class Opaque {
  readonly of: Pickled;
  readonly args: Pickled;
  state: Pickled = null;
  constructor(of: Pickled, args: Pickled) {
    this.of = of;
    this.args = args;
  }
}

/** Base class of the values that a dialect (torch, numpy) builds. */
export abstract class Foreign {
  /** Takes the state of a BUILD opcode. */
  build(_state: Pickled): void {
    // Most values have no state.
  }
}
