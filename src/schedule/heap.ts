/** A binary heap whose first element is the one that comes before all others. */
export class Heap<T> {
  readonly #before: (a: T, b: T) => boolean;
  readonly #items: T[] = [];

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  /** @throws Error when the heap is empty. */
  peek(): T {
    return this.#at(0);
  }

  push(item: T): void {
    let hole = this.#items.push(item) - 1;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!this.#before(item, this.#at(parent))) break;
      this.#items[hole] = this.#at(parent);
      hole = parent;
    }
    this.#items[hole] = item;
  }

  /** @throws Error when the heap is empty. */
  pop(): T {
    const first = this.#at(0);
    const last = this.#at(this.#items.length - 1);
    this.#items.pop();
    if (this.#items.length > 0) this.#sink(last);
    return first;
  }

  #sink(item: T): void {
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= this.#items.length) break;
      if (child + 1 < this.#items.length && this.#before(this.#at(child + 1), this.#at(child))) child += 1;
      if (!this.#before(this.#at(child), item)) break;
      this.#items[hole] = this.#at(child);
      hole = child;
    }
    this.#items[hole] = item;
  }

  #at(index: number): T {
    const item = this.#items[index];
    if (item === undefined) throw new Error("the heap is empty");
    return item;
  }
}
