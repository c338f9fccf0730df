import { expect, test } from "vitest";
import { OutputUntil } from "../../src/execute/output-until.ts";

test.each([1, 2, 3, 5, 100])(
  "gives everything before the mark, in pieces of %i bytes, and nothing after it",
  async (size) => {
    const output = new OutputUntil("#end#");
    const printed: string[] = [];
    output.begin((chunk) => printed.push(chunk.toString()));
    let isComplete = false;
    void output.complete.then(() => (isComplete = true));
    const text = Buffer.from("a#b##en#e#end#late");
    for (let at = 0; at < text.length; at += size) {
      await Promise.resolve();
      expect(isComplete).toBe(at >= "a#b##en#e#end#".length && size < 100);
      output.read(text.subarray(at, at + size));
    }
    await output.complete;
    expect(printed.join("")).toBe("a#b##en#e");
    output.begin((chunk) => printed.push(chunk.toString()));
    output.read(Buffer.from("|next#end#"));
    await output.complete;
    expect(printed.join("")).toBe("a#b##en#e|next");
  },
);

test("gives all of a stream that ends without a mark, even what looks like the beginning of a mark", async () => {
  const output = new OutputUntil("#end#");
  const printed: string[] = [];
  output.begin((chunk) => printed.push(chunk.toString()));
  output.read(Buffer.from("a#en"));
  output.close();
  await output.complete;
  expect(printed.join("")).toBe("a#en");
  output.begin(() => undefined);
  await output.complete;
});
