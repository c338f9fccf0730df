/** What a pickle can hold, as plain data. */

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

/** A named class or function of Python, not called. */
export class Global {
  readonly module: string;
  readonly name: string;
  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }
}

/** What a call of an unknown global would have made: its parts, inert. */
export class Opaque {
  readonly of: Pickled;
  readonly args: Pickled;
  state: Pickled = null;
  constructor(of: Pickled, args: Pickled) {
    this.of = of;
    this.args = args;
  }
}

/** Base of the values that a dialect (torch, numpy) builds. */
export abstract class Foreign {
  /** Takes the state of a BUILD opcode. */
  build(_state: Pickled): void {
    // Most have none.
  }
}
