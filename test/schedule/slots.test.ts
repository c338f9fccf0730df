import { describe, expect, it } from "vitest";
import type { GpuRequest, SlotRequest } from "../../src/model/model.ts";
import { shortageOf, type Capacity } from "../../src/schedule/capacity.ts";
import type { Device } from "../../src/schedule/devices.ts";
import { Heap } from "../../src/schedule/heap.ts";
import { PATIENCE, ReadyQueue } from "../../src/schedule/queue.ts";
import { remainingPath } from "../../src/schedule/remaining-path.ts";
import { parseSlots } from "../../src/schedule/slots-option.ts";
import { Slots, type Grant } from "../../src/schedule/slots.ts";
import { wholeDevices } from "../../src/schedule/whole-devices.ts";
import { seeded } from "./random.ts";

const GiB = 2 ** 30;

function ask(change: Partial<SlotRequest> = {}): SlotRequest {
  return { cpu: 1, memory: 0, gpu: null, pools: new Map(), ...change };
}

function gpu(change: Partial<GpuRequest> = {}): GpuRequest {
  const { memory = null } = change;
  return { count: 1, optional: false, whole: memory === null, type: null, ...change, memory };
}

function machine(change: Partial<Capacity> = {}): Capacity {
  return { cpu: 8, cores: 8, memory: 64 * GiB, devices: [], trouble: null, pools: new Map(), ...change };
}

function device(id: string, gibibytes: number, type = "NVIDIA A100", group = "one"): Device {
  return { id, uuid: `GPU-${id}`, memory: gibibytes * GiB, type, group };
}

const ids = (grant: Grant | null): string[] | undefined => grant?.devices.map(({ device }) => device.id);

describe("slots", () => {
  it("hands out whole devices, the smallest that suffices first, and takes them back", () => {
    const slots = new Slots(machine({ devices: [device("0", 80), device("1", 24), device("2", 80)] }));
    const first = slots.take(ask({ gpu: gpu() }));
    expect(ids(first)).toEqual(["1"]);
    expect(ids(slots.take(ask({ gpu: gpu({ count: 2 }) })))).toEqual(["0", "2"]);
    expect(slots.take(ask({ gpu: gpu() }))).toBeNull();
    slots.give(first!);
    expect(ids(slots.take(ask({ gpu: gpu() })))).toEqual(["1"]);
  });

  it("shares a device by declared memory, fullest device first, never one that a task has whole", () => {
    const slots = new Slots(machine({ devices: [device("0", 80), device("1", 80)] }));
    const share = (gibibytes: number) => slots.take(ask({ gpu: gpu({ memory: gibibytes * GiB }) }));
    expect(ids(share(30))).toEqual(["0"]);
    expect(ids(share(30))).toEqual(["0"]);
    expect(ids(slots.take(ask({ gpu: gpu() })))).toEqual(["1"]);
    expect(share(30)).toBeNull();
    expect(ids(share(20))).toEqual(["0"]);
  });

  it("chooses by type, and grants an optional request no device only if no device suits", () => {
    const slots = new Slots(
      machine({ devices: [device("0", 80), device("1", 80, "NVIDIA H100 80GB HBM3")] }),
    );
    expect(ids(slots.take(ask({ gpu: gpu({ type: "h100" }) })))).toEqual(["1"]);
    expect(ids(slots.take(ask({ gpu: gpu({ optional: true, type: "B200" }) })))).toEqual([]);
    expect(slots.take(ask({ gpu: gpu({ optional: true, type: "h100" }) }))).toBeNull();
    expect(ids(new Slots(machine()).take(ask({ gpu: gpu({ optional: true }) })))).toEqual([]);
  });

  it.each([
    ["NVIDIA A100-SXM4-40GB", ["A100", "a100-sxm4", "nvidia a100", "40GB"], ["A10", "100", "A100 40GB"]],
    ["NVIDIA L40S", ["l40s"], ["L4", "L40"]],
    ["NVIDIA A100-SXM4-40GB MIG 3g.20gb", ["3g.20gb", "MIG 3g.20gb"], ["3g", "20gb"]],
  ])("matches the type %s by whole words", (type, names, others) => {
    const capacity = machine({ devices: [device("0", 40, type)] });
    const has = (name: string) => shortageOf(ask({ gpu: gpu({ type: name }) }), capacity) === null;
    expect([names.filter(has), others.filter(has)]).toEqual([names, []]);
  });

  it("gives a task devices of one group, the one with the fewest free devices", () => {
    const devices = ["0", "1", "2", "3", "4"].map((id) => device(id, 80, "H100", Number(id) < 2 ? "a" : "b"));
    const slots = new Slots(machine({ devices }));
    const pair = ask({ gpu: gpu({ count: 2 }) });
    expect(ids(slots.take(ask({ gpu: gpu() })))).toEqual(["0"]);
    expect(ids(slots.take(pair))).toEqual(["2", "3"]);
    expect(slots.take(pair)).toBeNull();
    const large = ask({ gpu: gpu({ count: 4 }) });
    expect(shortageOf(large, slots.capacity)).toBe("it asks for 4 GPUs together and the largest group has 3");
  });

  it("shares no device with a task that asks for a whole device", () => {
    const slots = new Slots(machine({ devices: [device("0", 24), device("1", 80)] }));
    const share = ask({ gpu: gpu({ memory: 30 * GiB }) });
    expect(ids(slots.take(wholeDevices(share, slots.capacity)))).toEqual(["1"]);
    expect(slots.take(share)).toBeNull();
  });

  it("retries a task that ran out of device memory on the largest suitable devices", () => {
    const devices = [device("0", 24), device("1", 80), device("2", 40), device("3", 160, "AMD", "other")];
    const capacity = machine({ devices });
    const whole = (change: Partial<GpuRequest>): GpuRequest | null =>
      wholeDevices(ask({ gpu: gpu({ memory: 10 * GiB, ...change }) }), capacity).gpu;
    expect(whole({ type: "A100" })).toMatchObject({ whole: true, memory: 80 * GiB });
    expect(whole({ type: "A100", count: 2 })).toMatchObject({ whole: true, memory: 40 * GiB });
    expect(whole({})).toMatchObject({ whole: true, memory: 160 * GiB });
    const unknown = { ...device("4", 1), memory: null };
    const request = wholeDevices(ask({ gpu: gpu({ memory: 10 * GiB }) }), machine({ devices: [unknown] }));
    expect(request.gpu).toMatchObject({ whole: true, memory: 10 * GiB });
    const slots = new Slots(capacity);
    slots.take(ask({ gpu: gpu({ type: "AMD" }) }));
    slots.take(ask({ gpu: gpu({ memory: 80 * GiB }) }));
    // The retry waits for a large device: on the free one, which is smaller, it might fail again.
    const retried = wholeDevices(ask({ gpu: gpu({ memory: 10 * GiB, type: "A100" }) }), capacity);
    expect(slots.take(retried)).toBeNull();
  });

  it("counts places in pools, and gives a pool without a size one place", () => {
    const slots = new Slots(machine({ pools: new Map([["licence", 2]]) }));
    const licence = ask({ pools: new Map([["licence", 1]]) });
    expect([slots.take(licence), slots.take(licence), slots.take(licence)].map((g) => g !== null)).toEqual([
      true,
      true,
      false,
    ]);
    const scanner = ask({ pools: new Map([["scanner", 1]]) });
    expect(slots.take(scanner)).not.toBeNull();
    expect(slots.take(scanner)).toBeNull();
  });

  it("gives a task that asks for more cores than there are, or than -j allows, all that it can have", () => {
    const capacity = machine({ cpu: 2, cores: 8 });
    const slots = new Slots(capacity);
    expect(shortageOf(ask({ cpu: 8 }), capacity)).toBeNull();
    expect(shortageOf(ask({ cpu: 9 }), capacity)).toBeNull();
    expect(slots.take(ask({ cpu: 8 }))?.cpu).toBe(2);
    expect(slots.take(ask())).toBeNull();
  });

  it("says what is too little for a request that can never start", () => {
    const capacity = machine({ cpu: 2, cores: 2, memory: 4 * GiB, devices: [device("0", 24)] });
    expect(shortageOf(ask({ memory: 8 * GiB }), capacity)).toBe(
      "it asks for memory 8 GiB and there is 4 GiB",
    );
    expect(shortageOf(ask({ gpu: gpu({ count: 2 }) }), capacity)).toBe("it asks for 2 GPUs and there is 1");
    expect(shortageOf(ask({ gpu: gpu({ memory: 40 * GiB }) }), capacity)).toBe(
      "it asks for 1 GPU with 40 GiB and there are 0",
    );
    expect(shortageOf(ask({ pools: new Map([["licence", 2]]) }), capacity)).toBe(
      'it asks for 2 of "licence" and there is 1',
    );
    expect(shortageOf(ask({ gpu: gpu({ count: 4, optional: true }) }), capacity)).toBeNull();
  });

  it("never hands out more than there is, and gets everything back (random takes and gives)", () => {
    for (let seed = 0; seed < 60; seed++) {
      const random = seeded(seed);
      const devices = Array.from({ length: random.below(5) }, (_, i) =>
        device(String(i), 10 + random.below(70)),
      );
      const capacity = machine({ devices, pools: new Map([["licence", 2]]) });
      const slots = new Slots(capacity);
      const held: Grant[] = [];
      for (let step = 0; step < 100; step++) {
        if (held.length > 0 && random.below(3) === 0) {
          slots.give(held.splice(random.below(held.length), 1)[0]!);
        } else {
          const memory = random.below(2) === 0 ? null : (1 + random.below(30)) * GiB;
          const wants = random.below(2) === 0 ? null : gpu({ count: 1 + random.below(2), memory });
          const pools = new Map(random.below(4) === 0 ? [["licence", 1]] : []);
          const request = ask({
            cpu: 1 + random.below(3),
            memory: random.below(20) * GiB,
            gpu: wants,
            pools,
          });
          const grant = slots.take(request);
          if (grant !== null) held.push(grant);
        }
        expect(held.reduce((sum, { request }) => sum + request.cpu, 0)).toBeLessThanOrEqual(8);
        expect(held.reduce((sum, { request }) => sum + request.memory, 0)).toBeLessThanOrEqual(64 * GiB);
        expect(held.filter(({ request }) => request.pools.size > 0).length).toBeLessThanOrEqual(2);
        for (const { id, memory } of devices) {
          const holders = held.flatMap((grant) => grant.devices).filter((part) => part.device.id === id);
          if (holders.some((part) => part.memory === null)) expect(holders).toHaveLength(1);
          const used = holders.reduce((sum, part) => sum + (part.memory ?? 0), 0);
          expect(used).toBeLessThanOrEqual(memory!);
        }
      }
      for (const grant of held) slots.give(grant);
      expect(slots.take(ask({ cpu: 8, memory: 64 * GiB, pools: new Map([["licence", 2]]) }))).not.toBeNull();
    }
  });
});

describe("ready queue", () => {
  it("starts the task with the longest remaining path first, then others that fit", () => {
    const queue = new ReadyQueue<string>(new Slots(machine({ cpu: 3 })));
    queue.add("short", ask(), 1, 0);
    queue.add("long", ask(), 9, 0);
    queue.add("wide", ask({ cpu: 3 }), 5, 0);
    const started = [queue.next(), queue.next(), queue.next()].map((next) => next?.item);
    expect(started).toEqual(["long", "short", undefined]);
    expect(queue.size).toBe(1);
  });

  it.each([
    ["less urgent", 1],
    ["as urgent", 5],
  ])("starts a large request in spite of an endless stream of small ones that are %s", (_, priority) => {
    const slots = new Slots(machine({ cpu: 4 }));
    const queue = new ReadyQueue<string>(slots);
    const running: Grant[] = [];
    queue.add("small", ask(), 9, 0);
    running.push((queue.next() as { grant: Grant }).grant);
    queue.add("wide", ask({ cpu: 4 }), 5, 0);
    let starts = 0;
    for (;;) {
      queue.add("small", ask(), priority, 1 + starts);
      const next = queue.next();
      if (next === null) slots.give(running.shift()!);
      else if (next.item === "wide") break;
      else running.push(next.grant);
      expect(++starts).toBeLessThan(10 * PATIENCE);
    }
  });

  it("keeps devices for a large request that has waited long, and goes on with tasks without devices", () => {
    const slots = new Slots(machine({ devices: [device("0", 80), device("1", 80)] }));
    const queue = new ReadyQueue<string>(slots);
    const one = ask({ cpu: 0, gpu: gpu() });
    queue.add("one", one, 10, 0);
    let held = queue.next() as { readonly item: string; readonly grant: Grant };
    queue.add("both", ask({ cpu: 0, gpu: gpu({ count: 2 }) }), 9, 0);
    for (let overtakes = 0; overtakes < PATIENCE; overtakes++) {
      queue.add("one", one, 5, 0);
      const next = queue.next() as typeof held;
      expect(next.item).toBe("one");
      slots.give(held.grant);
      held = next;
    }
    queue.add("one", one, 5, 0);
    queue.add("cpu", ask(), 0, 0);
    expect(queue.next()?.item).toBe("cpu");
    expect(queue.next()).toBeNull();
    slots.give(held.grant);
    expect(queue.next()?.item).toBe("both");
  });

  it("does not count tasks that use none of the slots for which a large request waits", () => {
    const slots = new Slots(machine({ devices: [device("0", 80), device("1", 80)] }));
    const queue = new ReadyQueue<string>(slots);
    const one = ask({ gpu: gpu() });
    queue.add("one", one, 10, 0);
    queue.next();
    queue.add("both", ask({ gpu: gpu({ count: 2 }) }), 9, 0);
    for (let starts = 0; starts < 2 * PATIENCE; starts++) {
      queue.add("cpu", ask(), 1, 0);
      slots.give((queue.next() as { readonly grant: Grant }).grant);
    }
    queue.add("another", one, 5, 0);
    expect(queue.next()?.item).toBe("another");
  });

  it("starts every task once, whatever the order in which tasks end (random)", () => {
    for (let seed = 0; seed < 100; seed++) {
      const random = seeded(seed);
      const slots = new Slots(machine());
      const queue = new ReadyQueue<number>(slots);
      for (let i = 0; i < 60; i++) queue.add(i, ask({ cpu: 1 + random.below(8) }), random.below(10), i);
      const running: Grant[] = [];
      const started = new Set<number>();
      while (queue.size > 0) {
        const next = queue.next();
        if (next === null) slots.give(running.splice(random.below(running.length), 1)[0]!);
        else {
          running.push(next.grant);
          started.add(next.item);
        }
      }
      expect(started.size).toBe(60);
    }
  });
});

describe("heap", () => {
  it("gives elements in order (random)", () => {
    const random = seeded(7);
    const heap = new Heap<number>((a, b) => a < b);
    const values = Array.from({ length: 500 }, () => random.below(100));
    for (const value of values) heap.push(value);
    expect(values.map(() => heap.pop())).toEqual(values.toSorted((a, b) => a - b));
    expect(() => heap.pop()).toThrow("empty");
  });
});

describe("remaining path", () => {
  it("is the longest chain of seconds from a task to the end", () => {
    const consumers = [[1, 2], [3], [3], []];
    const path = remainingPath(
      [0, 1, 2, 3],
      (node) => consumers[node] ?? [],
      (node) => [1, 10, 2, 5][node] ?? 0,
    );
    expect([0, 1, 2, 3].map((node) => path.get(node))).toEqual([16, 15, 7, 5]);
  });
});

describe("--slots", () => {
  it("reads amounts, with units for memory", () => {
    expect(parseSlots("gpu=2, cpu=8,memory=1.5GiB,licence=1")).toEqual({
      gpu: { count: 2, type: null, memory: null },
      cpu: 8,
      memory: 1.5 * GiB,
      pools: new Map([["licence", 1]]),
    });
  });

  it("reads the type and the memory of devices that are pretended", () => {
    const described = (text: string) => parseSlots(text).gpu;
    expect(described("gpu=2:h100:80GiB")).toEqual({ count: 2, type: "h100", memory: 80 * GiB });
    expect(described("gpu=1:NVIDIA L4")).toEqual({ count: 1, type: "NVIDIA L4", memory: null });
    expect(described("gpu=4:24GiB")).toEqual({ count: 4, type: null, memory: 24 * GiB });
  });

  it.each(["gpu", "gpu=1:a:b", "gpu=1::8GiB", "gpu=two", "cpu=1.5", "cpu=2GiB", "gpu=-1"])(
    "refuses %s",
    (text) => {
      expect(() => parseSlots(text)).toThrow(`--slots: cannot read "${text}"`);
    },
  );

  it.each(["memory=16", "gpu=2:16", "gpu=2:h100:16"])("refuses %s, which would be bytes", (text) => {
    expect(() => parseSlots(text)).toThrow("--slots: a memory of 16 would be 16 bytes");
  });
});
