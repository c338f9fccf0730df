/** nginx as a cache server on a free port of this machine. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";

/** Debian has nginx where only root's PATH leads. */
export const ENV = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };

export function isInstalled(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`], { env: ENV }).status === 0;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface Nginx {
  readonly url: string;
  /** Absolute path of the folder with the files. */
  readonly store: string;
  stop(): void;
}

/**
 * @param folder empty; everything of the server is in it
 * @param password of the user ann, who alone may write; null: everybody may
 */
export async function startNginx(folder: string, password: string | null): Promise<Nginx> {
  const [config, store, users] = [join(folder, "nginx.conf"), join(folder, "store"), join(folder, "users")];
  const port = await freePort();
  mkdirSync(store);
  if (password !== null) {
    const hash = execFileSync("openssl", ["passwd", "-apr1", password], { encoding: "utf8" });
    writeFileSync(users, `ann:${hash}`);
  }
  const limit =
    password === null ? "" : `limit_except GET { auth_basic cache; auth_basic_user_file ${users}; }`;
  writeFileSync(
    config,
    `${process.getuid?.() === 0 ? "user root root;" : ""}
worker_processes 2;
pid ${folder}/pid;
error_log ${folder}/error.log;
events {}
http {
  access_log off;
  sendfile on;
  keepalive_requests 100000;
  client_max_body_size 0;
  client_body_temp_path ${folder}/parts;
  server {
    listen 127.0.0.1:${port};
    root ${store};
    location / { dav_methods PUT; create_full_put_path on; ${limit} }
  }
}
`,
  );
  const nginx = (...words: string[]): void => {
    execFileSync("nginx", ["-p", folder, "-c", config, ...words], { env: ENV, stdio: "ignore" });
  };
  nginx();
  return { url: `http://127.0.0.1:${port}`, store, stop: () => nginx("-s", "stop") };
}
