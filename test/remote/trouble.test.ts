/** A remote cache that cannot be used never fails a build: one warning, and the build goes on as without one. */
import { createServer, type AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { BlobServer } from "../../src/remote/blob-server.ts";
import { httpPlace } from "../../src/remote/http-place.ts";
import { CacheServer, type Fault } from "../helpers/cache-server.ts";
import { built, clone, TASKS } from "./remote-project.ts";

/** Kinds of trouble that a server makes, with the cause that lq names. */
const FAULTS: readonly (readonly [string, Fault, RegExp])[] = [
  ["401", status(401), /it refuses access \(HTTP status 401\)$/],
  ["403", status(403), /it refuses access \(HTTP status 403\)$/],
  ["500", status(500), /it has an error of its own \(HTTP status 500\)$/],
  ["503", status(503), /it has an error of its own \(HTTP status 503\)$/],
  ["418", status(418), /it gives an unexpected answer \(HTTP status 418\)$/],
  [
    "a login page",
    (_, response) => !!response.writeHead(200, { "content-type": "text/html" }).end("<html>log in</html>"),
    /as if somebody had to log in$/,
  ],
  [
    "a page without a type",
    (_, response) => !!response.end("<!doctype html>"),
    /as if somebody had to log in$/,
  ],
  [
    "a redirect in a circle",
    (request, response) => !!response.writeHead(302, { location: request.url }).end(),
    /it redirects again and again$/,
  ],
  [
    "a redirect to a file",
    (_, response) => !!response.writeHead(302, { location: "file:///etc/passwd" }).end(),
    /it redirects to an address that is not https$/,
  ],
  ["connections that are cut off", (request) => !!request.socket.destroy(), /the connection was cut off$/],
  [
    "answers that are cut off",
    (request, response) => {
      response.writeHead(200, { "content-length": 1000 }).write("half", () => request.socket.destroy());
      return true;
    },
    /the connection was cut off$/,
  ],
  [
    "a full server",
    (request, response) => request.method === "PUT" && !!response.writeHead(507).end(),
    /it is full \(HTTP status 507\)$/,
  ],
  [
    "a server that reads and refuses to write",
    (request, response) => request.method === "PUT" && !!response.writeHead(403).end(),
    /it refuses access \(HTTP status 403\)$/,
  ],
  [
    "an upload that is cut off",
    (request) => request.method === "PUT" && !!request.socket.destroy(),
    /the connection was cut off$/,
  ],
];

test.each(FAULTS)("%s", async (_, fault, cause) => {
  const server = await CacheServer.start();
  server.fault = fault;
  const project = clone(`{ remote: "${server.url}", push: true }`);
  const { code, ran, warnings } = await built(project);
  expect([code, ran]).toEqual([0, TASKS]);
  expect(warnings).toEqual([expect.stringMatching(cause)]);
  expect(warnings[0]).toContain(`the remote cache ${server.url} is not used any more: `);
  expect(server.names("ac")).toEqual([]);
});

test.each([
  ["refused", "http://127.0.0.1:9", "the connection was refused"],
  ["no such host", "http://no-such-host.invalid", /there is no such host|cannot be looked up/],
] as const)("%s", async (_, url, cause) => {
  const { code, ran, warnings } = await built(clone(`{ remote: "${url}", push: true }`));
  expect([code, ran]).toEqual([0, TASKS]);
  expect(warnings).toEqual([expect.stringMatching(cause)]);
});

test("trouble after the plan: what was promised is made here", async () => {
  const server = await CacheServer.start();
  const cache = `{ remote: "${server.url}", push: true }`;
  const one = clone(cache);
  await one.built();
  server.fault = ({ url = "" }, response) => {
    const isObject =
      url.includes("/cas/") && !server.files.get(url.slice(1))?.toString().startsWith('{"sha256"');
    return isObject && !!response.writeHead(500).end();
  };
  const { code, ran, warnings } = await built(clone(cache));
  expect([code, ran]).toEqual([0, TASKS]);
  expect(warnings).toEqual([expect.stringContaining("HTTP status 500")]);
});

/** Asks a server that waits too long, with limits of time that are short. */
async function impatient(url: string): Promise<unknown> {
  const server = new BlobServer(httpPlace(new URL(url), {}), { connect: 200, idle: 200 });
  onTestFinished(() => server.close());
  return server.read("ac/1", 100).catch((error: unknown) => (error as Error).message);
}

test("a server that never answers, or stops in the middle, is given up", async () => {
  const server = await CacheServer.start();
  server.fault = () => true;
  expect(await impatient(server.url)).toBe("no byte came for 0.2 s");
  server.fault = (_, response) => {
    response.writeHead(200, { "content-length": 50 }).write("half");
    return true;
  };
  expect(await impatient(server.url)).toBe("no byte came for 0.2 s");
});

test("a connection that never comes is given up", async () => {
  // A server that takes connections and never begins with TLS.
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as AddressInfo;
  expect(await impatient(`https://127.0.0.1:${port}`)).toBe("no connection within 0.2 s");
});

test("a server may close a connection between two requests", async () => {
  const server = await CacheServer.start();
  let answered = 0;
  server.fault = (request, response) => {
    answered += 1;
    if (answered % 3 === 0) response.once("finish", () => request.socket.end());
    return false;
  };
  const { warnings, summary } = await built(clone(`{ remote: "${server.url}", push: true }`));
  expect(warnings).toEqual([]);
  expect(summary).toMatchObject({ uploaded: 13 });
});

function status(code: number): Fault {
  return (_, response) => !!response.writeHead(code).end("no");
}
