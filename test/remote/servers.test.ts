/** Real servers: nginx with WebDAV, and Ceph's gateway with the interface of S3. */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { testFolder } from "../helpers/folder.ts";
import { ENV, freePort, isInstalled, startNginx, type Nginx } from "../helpers/nginx.ts";
import { shared } from "../helpers/shared.ts";
import { built, clone, TASKS } from "./remote-project.ts";

/** Whether all programs are installed; says if not. */
function areThere(...programs: string[]): boolean {
  const missing = programs.filter((name) => !isInstalled(name));
  if (missing.length > 0) console.warn(`skipped: ${missing.join(", ")} not installed`);
  return missing.length === 0;
}

describe.skipIf(!areThere("nginx", "openssl"))("nginx", () => {
  let nginx: Nginx | undefined;
  afterAll(() => nginx?.stop());

  test("serves clones, and refuses writes without the password", async () => {
    nginx = await startNginx(testFolder(), "secret");
    const cache = `{ remote: "${nginx.url}/lab", push: true }`;
    const refused = await built(clone(cache));
    expect([refused.ran, refused.warnings]).toEqual([TASKS, [expect.stringMatching(/HTTP status 401\)$/)]]);
    expect(readdirSync(nginx.store)).toEqual([]);
    const credentials = { LQ_REMOTE_USER: "ann", LQ_REMOTE_PASSWORD: "secret" };
    const one = await built(clone(cache), credentials);
    expect([one.ran, one.warnings, one.summary["uploaded"]]).toEqual([TASKS, [], 13]);
    const two = await built(clone(cache));
    expect([two.ran, two.restored, two.warnings]).toEqual([[], TASKS, []]);
    const big = clone(cache);
    big.write(
      "pipeline.yaml",
      `${big.read("pipeline.yaml")}  big: { cmd: "head -c 20000000 /dev/zero > \${out}", out: big.bin }\n`,
    );
    expect((await built(big, credentials, "big")).summary).toMatchObject({ ran: 1, uploaded: 1 });
    big.remove("cache");
    big.remove("big.bin");
    expect((await built(big, {}, "big")).summary).toMatchObject({ restored: 1, downloaded: 1 });
  });
});

const gateway = areThere("radosgw", "ceph-mon", "ceph-osd") ? shared("tools/rgw-local.sh") : null;

describe.skipIf(gateway === null)("Ceph's gateway", () => {
  const folder = testFolder();
  const run = promisify(execFile);
  afterAll(() => run("bash", [gateway ?? "", "down", folder]));

  test("serves clones by signed requests, with keys from the environment or from a profile", async () => {
    const port = await freePort();
    const { stdout } = await run("bash", [gateway ?? "", "up", folder, String(port)], { env: ENV });
    const given = Object.fromEntries(
      [...stdout.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name = "", value]) => [name, value]),
    );
    const cache = `{ remote: "s3://${given["LQ_S3_BUCKET"]}/a/prefix", push: true }`;
    const keys = {
      AWS_ACCESS_KEY_ID: given["AWS_ACCESS_KEY_ID"],
      AWS_SECRET_ACCESS_KEY: given["AWS_SECRET_ACCESS_KEY"],
    };
    const server = { AWS_ENDPOINT_URL: given["LQ_S3_ENDPOINT"], AWS_REGION: given["AWS_REGION"] };

    const one = await built(clone(cache), { ...server, ...keys });
    expect([one.ran, one.warnings, one.summary["uploaded"]]).toEqual([TASKS, [], 13]);

    const home = testFolder({
      ".aws/config": `[default]\nregion = nowhere\n[profile lab]\nregion = ${server.AWS_REGION}\nendpoint_url = ${server.AWS_ENDPOINT_URL}\n`,
      ".aws/credentials": `[lab]\naws_access_key_id=${keys.AWS_ACCESS_KEY_ID}\naws_secret_access_key=${keys.AWS_SECRET_ACCESS_KEY}\n`,
    });
    const two = await built(clone(cache), { HOME: home, AWS_PROFILE: "lab" });
    expect([two.ran, two.restored, two.warnings]).toEqual([[], TASKS, []]);

    for (const wrong of [
      { ...server, ...keys, AWS_SECRET_ACCESS_KEY: "wrong" },
      { ...server, HOME: testFolder() },
    ]) {
      const three = await built(clone(cache), wrong);
      expect([three.ran, three.warnings]).toEqual([TASKS, [expect.stringMatching(/HTTP status 403\)$/)]]);
    }
  });
});
