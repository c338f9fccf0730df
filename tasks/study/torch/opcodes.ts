/** The effect of each pickle opcode on the machine that reads it. Reference: CPython's Lib/pickletools.py. */
import type { Machine } from "./pickle.ts";
import { Global, type Pickled } from "./values.ts";

const code = (letter: string) => letter.charCodeAt(0);

export const opcodes: Record<number, (m: Machine) => void> = {
  // Constants
  [code("N")]: (m) => m.push(null),
  [0x88]: (m) => m.push(true),
  [0x89]: (m) => m.push(false),
  [code("I")]: (m) => m.push(parseInt0(m.bytes.line())),
  [code("L")]: (m) => m.push(parseInteger(m.bytes.line().replace(/L$/, ""))),
  [code("F")]: (m) => m.push(parseFloatText(m.bytes.line())),
  [code("J")]: (m) => m.push(m.bytes.i32()),
  [code("K")]: (m) => m.push(m.bytes.u8()),
  [code("M")]: (m) => m.push(m.bytes.u16()),
  [0x8a]: (m) => m.push(m.bytes.long(m.bytes.u8())),
  [0x8b]: (m) => m.push(m.bytes.long(m.bytes.i32())),
  [code("G")]: (m) => m.push(m.bytes.f64BigEndian()),
  // Text and bytes
  [code("S")]: (m) => m.push(unescape(m.bytes.line())),
  [code("V")]: (m) => m.push(unescapeUnicode(m.bytes.line())),
  [code("T")]: (m) => m.push(m.bytes.latin1(m.bytes.i32())),
  [code("U")]: (m) => m.push(m.bytes.latin1(m.bytes.u8())),
  [code("X")]: (m) => m.push(m.bytes.utf8(m.bytes.u32())),
  [0x8c]: (m) => m.push(m.bytes.utf8(m.bytes.u8())),
  [0x8d]: (m) => m.push(m.bytes.utf8(m.bytes.u64())),
  [code("B")]: (m) => m.push(m.bytes.take(m.bytes.u32())),
  [code("C")]: (m) => m.push(m.bytes.take(m.bytes.u8())),
  [0x8e]: (m) => m.push(m.bytes.take(m.bytes.u64())),
  [0x96]: (m) => m.push(m.bytes.take(m.bytes.u64())),
  // Containers
  [code("]")]: (m) => m.push([]),
  [code(")")]: (m) => m.push([]),
  [code("}")]: (m) => m.push(new Map()),
  [0x8f]: (m) => m.push(new Set()),
  [code("(")]: (m) => m.pushMark(),
  [code("l")]: (m) => m.push(m.popMark()),
  [code("t")]: (m) => m.push(m.popMark()),
  [0x85]: (m) => m.push([m.pop()]),
  [0x86]: (m) => m.push([m.pop(), m.pop()].reverse()),
  [0x87]: (m) => m.push([m.pop(), m.pop(), m.pop()].reverse()),
  [0x91]: (m) => m.push(new Set(m.popMark())),
  [code("d")]: (m) => {
    const items = m.popMark();
    const map = new Map<Pickled, Pickled>();
    m.setItems(map, items);
    m.push(map);
  },
  [code("a")]: (m) => {
    const value = m.pop();
    m.append(m.top(), [value]);
  },
  [code("e")]: (m) => {
    const values = m.popMark();
    m.append(m.top(), values);
  },
  [0x90]: (m) => {
    const values = m.popMark();
    m.append(m.top(), values);
  },
  [code("s")]: (m) => {
    const value = m.pop();
    const key = m.pop();
    m.setItems(m.top(), [key, value]);
  },
  [code("u")]: (m) => {
    const items = m.popMark();
    m.setItems(m.top(), items);
  },
  // Stack and memo
  [code("0")]: (m) => m.dropTop(),
  [code("1")]: (m) => void m.popMark(),
  [code("2")]: (m) => m.push(m.top()),
  [code("p")]: (m) => m.put(Number(m.bytes.line())),
  [code("q")]: (m) => m.put(m.bytes.u8()),
  [code("r")]: (m) => m.put(m.bytes.u32()),
  [0x94]: (m) => m.memoize(),
  [code("g")]: (m) => m.get(Number(m.bytes.line())),
  [code("h")]: (m) => m.get(m.bytes.u8()),
  [code("j")]: (m) => m.get(m.bytes.u32()),
  // Globals and calls: recorded, never executed
  [code("c")]: (m) => m.push(new Global(m.bytes.line(), m.bytes.line())),
  [0x93]: (m) => {
    const name = m.pop();
    const module = m.pop();
    if (typeof name !== "string" || typeof module !== "string") throw new Error("a global without a name");
    m.push(new Global(module, name));
  },
  [code("R")]: (m) => {
    const args = m.pop();
    m.call(m.pop(), args);
  },
  [0x81]: (m) => {
    const args = m.pop();
    m.call(m.pop(), args);
  },
  [0x92]: (m) => {
    m.pop(); // keyword arguments
    const args = m.pop();
    m.call(m.pop(), args);
  },
  [code("i")]: (m) => m.call(new Global(m.bytes.line(), m.bytes.line()), m.popMark()),
  [code("o")]: (m) => {
    const [of, ...args] = m.popMark();
    m.call(of ?? null, args);
  },
  [code("b")]: (m) => m.build(),
  [code("P")]: (m) => m.persistent(m.bytes.line()),
  [code("Q")]: (m) => m.persistent(m.pop()),
  // Framing
  [0x80]: (m) => {
    const protocol = m.bytes.u8();
    if (protocol > 5) throw new Error(`pickle protocol ${protocol} is not supported (0 to 5 are)`);
  },
  [0x95]: (m) => void m.bytes.u64(),
};

/** In protocol 0, the integers "00" and "01" are booleans. */
function parseInt0(text: string): number | bigint | boolean {
  return text === "01" ? true : text === "00" ? false : parseInteger(text);
}

function parseInteger(text: string): number | bigint {
  if (!/^[+-]?\d{1,400}$/.test(text)) throw new Error(`not an integer: ${text.slice(0, 40)}`);
  const value = BigInt(text);
  return BigInt(Number(value)) === value ? Number(value) : value;
}

function parseFloatText(text: string): number {
  const special: Record<string, number> = { nan: NaN, inf: Infinity, "-inf": -Infinity };
  const value = special[text] ?? Number(text);
  if (Number.isNaN(value) && text !== "nan") throw new Error(`not a number: ${text.slice(0, 40)}`);
  return value;
}

function unescape(line: string): string {
  const quoted = /^(["'])(.*)\1$/s.exec(line);
  if (!quoted) throw new Error("a string without quotes");
  const single: Record<string, string> = { n: "\n", t: "\t", r: "\r", "\\": "\\", "'": "'", '"': '"' };
  return quoted[2]!.replace(/\\(x[0-9a-fA-F]{2}|.)/gs, (all, escape: string) =>
    escape.startsWith("x") && escape.length === 3
      ? String.fromCharCode(parseInt(escape.slice(1), 16))
      : (single[escape] ?? all),
  );
}

function unescapeUnicode(line: string): string {
  return line.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_, short?: string, long?: string) =>
    String.fromCodePoint(Math.min(0x10ffff, parseInt(short ?? long!, 16))),
  );
}
