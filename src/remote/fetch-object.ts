/** Downloads one object into the local store. Nothing enters the store before it was hashed. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { statfsSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { finished } from "node:stream/promises";
import { sha256 } from "../system/digest.ts";
import type { Store } from "../store/store.ts";
import type { BlobServer } from "./blob-server.ts";
import { blobPath } from "./find-run.ts";
import { WrongContent } from "./trouble.ts";

/** Up to this size, an object is received in memory. */
const SMALL = 1 << 20;
/** Bytes that may wait for the disk. */
const BUFFERED = 4 << 20;

export interface RemoteObject {
  readonly digest: string;
  readonly size: number;
  readonly executable: boolean;
}

/** @throws RemoteTrouble, WrongContent also if it is not there, or an error of the local disk */
export async function fetchObject(server: BlobServer, store: Store, object: RemoteObject): Promise<void> {
  const { digest, size, executable } = object;
  const path = blobPath(digest);
  const absent = () => new WrongContent(`object ${digest.slice(0, 12)} is not there`);
  const damaged = () => new WrongContent(`object ${digest.slice(0, 12)} is damaged`);
  if (size <= SMALL) {
    const content = await server.read(path, size);
    if (content === null) throw absent();
    if (sha256(content) !== digest) throw damaged();
    return store.putObject(digest, executable, (file) => {
      writeFileSync(file, content);
    });
  }
  await store.putObject(digest, executable, async (file) => {
    refuseWithoutRoom(dirname(file), object);
    const hash = createHash("sha256");
    const handle = await open(file, "wx");
    // Chunks that come while others are written are then written at once.
    const output = handle.createWriteStream({ highWaterMark: BUFFERED });
    const written = finished(output);
    written.catch(() => undefined);
    try {
      const isThere = await server.download(path, size, async (chunk) => {
        hash.update(chunk);
        if (!output.write(chunk)) await once(output, "drain");
      });
      if (!isThere) throw absent();
      if (hash.digest("hex") !== digest) throw damaged();
      output.end();
      await written;
    } finally {
      output.destroy();
      await handle.close();
    }
  });
}

/** A remote that claims a huge size must not fill the disk. */
function refuseWithoutRoom(folder: string, { digest, size }: RemoteObject): void {
  const { bavail, bsize } = statfsSync(folder);
  if (size > bavail * bsize)
    throw new WrongContent(`object ${digest.slice(0, 12)} is said to be larger than the room on the disk`);
}
