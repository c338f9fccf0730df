/** Where the files of a remote cache lie, and what authorises requests there. */
import type { Authorise } from "./connection.ts";

export interface Place {
  /** As lq shows it. */
  readonly name: string;
  /** @param path `ac/KEY` or `cas/DIGEST` */
  address(path: string): URL;
  readonly authorise: Authorise;
}
