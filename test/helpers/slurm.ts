/** A real Slurm on this machine, with two nodes and four GPUs that are links to /dev/null. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll } from "vitest";

const PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel"];
const PATH = `${process.env["PATH"]}:/usr/sbin:/sbin`;

/** Whether this machine can start a Slurm of its own. */
export const hasSlurm =
  process.getuid?.() === 0 &&
  PROGRAMS.every((name) => PATH.split(":").some((folder) => existsSync(join(folder, name))));

export const NODES = ["n0", "n1"] as const;

export interface SlurmOptions {
  /** Cores of each node. */
  readonly cores?: number;
  /** More lines of slurm.conf. */
  readonly lines?: readonly string[];
}

export class LocalSlurm {
  /** Below /tmp, where munged accepts a socket. */
  readonly folder = mkdtempSync("/tmp/lqs-");
  readonly #options: SlurmOptions;

  private constructor(options: SlurmOptions) {
    this.#options = options;
  }

  static async start(options: SlurmOptions): Promise<LocalSlurm> {
    const slurm = new LocalSlurm(options);
    await slurm.#configure();
    slurm.#run("munged", [
      ...["--key-file", "--socket", "--pid-file", "--log-file", "--seed-file"].map(
        (flag, i) => `${flag}=${slurm.folder}/${["key", "munge", "munged.pid", "munged.log", "seed"][i]}`,
      ),
    ]);
    slurm.startController(true);
    NODES.forEach((node) => slurm.startNode(node));
    await slurm.until(() =>
      slurm
        .ask("sinfo", "-h", "-N", "-o", "%t")
        .split("\n")
        .every((state) => state === "idle"),
    );
    return slurm;
  }

  /** Environment variables with which the commands speak to this Slurm. */
  get env(): { readonly SLURM_CONF: string } {
    return { SLURM_CONF: join(this.folder, "slurm.conf") };
  }

  startController(first = false): void {
    this.#run("slurmctld", first ? ["-i"] : []);
  }

  /** @param wrap a command that starts the daemon */
  startNode(node: (typeof NODES)[number], wrap: readonly string[] = []): void {
    const words = [...wrap, "slurmd", "-N", node];
    this.#run(words[0] ?? "", words.slice(1));
  }

  kill(daemon: "slurmctld" | (typeof NODES)[number]): void {
    const pid = this.#pid(daemon);
    if (pid !== null) process.kill(pid, "SIGKILL");
  }

  /** What a command of Slurm prints. */
  ask(program: string, ...words: string[]): string {
    const { stdout } = spawnSync(program, words, {
      encoding: "utf8",
      env: { ...process.env, ...this.env, PATH },
    });
    return stdout.trim();
  }

  /** Jobs by state, as `squeue` shows them. */
  jobs(...words: string[]): readonly string[] {
    return this.ask("squeue", "-h", "-r", ...words)
      .split("\n")
      .filter(Boolean);
  }

  /** Waits until something is so; Slurm has no events to wait for. */
  async until(isSo: () => boolean, seconds = 60): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (Date.now() < end) {
      if (isSo()) return;
      await setTimeout(100);
    }
    throw new Error(`Slurm did not get there in ${seconds} s:\n${this.ask("squeue", "-r", "-t", "all")}`);
  }

  async stop(): Promise<void> {
    this.ask("scancel", "--full", "-u", "root");
    for (const daemon of [...NODES, "slurmctld", "munged"] as const) {
      const pid = this.#pid(daemon);
      if (pid === null) continue;
      process.kill(pid, "SIGTERM");
      for (let i = 0; i < 100 && this.#pid(daemon) !== null; i++) await setTimeout(50);
      if (this.#pid(daemon) !== null) process.kill(pid, "SIGKILL");
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #pid(daemon: string): number | null {
    const file = join(this.folder, `${daemon}.pid`);
    const pid = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
    return pid > 0 && existsSync(`/proc/${pid}`) && !isZombie(pid) ? pid : null;
  }

  #run(program: string, words: readonly string[]): void {
    execFileSync(program, words, { env: { ...process.env, ...this.env, PATH }, stdio: "ignore" });
  }

  async #configure(): Promise<void> {
    const { folder } = this;
    const { cores = 8, lines = [] } = this.#options;
    const ports = await freePorts(3);
    writeFileSync(join(folder, "key"), randomBytes(1024), { mode: 0o600 });
    execFileSync("chmod", ["711", folder]);
    const nodes = NODES.map((node, i) => {
      mkdirSync(join(folder, "spool", node), { recursive: true });
      for (let gpu = 0; gpu < 4; gpu++) symlinkSync("/dev/null", join(folder, `${node}-gpu${gpu}`));
      return `NodeName=${node} NodeHostname=localhost NodeAddr=127.0.0.1 Port=${ports[i + 1]} CPUs=${cores} RealMemory=4000 Gres=gpu:h100:4 State=UNKNOWN`;
    });
    mkdirSync(join(folder, "state"));
    const settings = {
      ClusterName: "lqtest",
      SlurmctldHost: "localhost(127.0.0.1)",
      SlurmctldPort: ports[0],
      SlurmUser: "root",
      AuthInfo: `socket=${folder}/munge`,
      CommunicationParameters: "NoInAddrAny,NoCtldInAddrAny",
      StateSaveLocation: `${folder}/state`,
      SlurmdSpoolDir: `${folder}/spool/%n`,
      SlurmctldPidFile: `${folder}/slurmctld.pid`,
      SlurmdPidFile: `${folder}/%n.pid`,
      SlurmctldLogFile: `${folder}/slurmctld.log`,
      SlurmdLogFile: `${folder}/%n.log`,
      ProctrackType: "proctrack/linuxproc",
      TaskPlugin: "task/none",
      SelectType: "select/cons_tres",
      SelectTypeParameters: "CR_CPU_Memory",
      DefMemPerCPU: 100,
      SchedulerParameters: "batch_sched_delay=0,sched_interval=1,bf_interval=1",
      SlurmdParameters: "config_overrides",
      MpiDefault: "none",
      MailProg: "/bin/true",
      ReturnToService: 2,
      KillWait: 5,
      SlurmdTimeout: 20,
      GresTypes: "gpu",
    };
    const conf = [
      ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
      ...nodes,
      "PartitionName=main Nodes=ALL Default=YES MaxTime=2-00:00:00 DefaultTime=60 State=UP",
      ...lines,
    ];
    writeFileSync(join(folder, "slurm.conf"), `${conf.join("\n")}\n`);
    writeFileSync(join(folder, "plugstack.conf"), "");
    const gres = NODES.map(
      (node) => `NodeName=${node} Name=gpu Type=h100 File=${folder}/${node}-gpu[0-3] Flags=nvidia_gpu_env`,
    );
    writeFileSync(join(folder, "gres.conf"), `AutoDetect=off\n${gres.join("\n")}\n`);
  }
}

/** A Slurm for the tests of a file; commands that they start speak to it. */
export function testSlurm(options: SlurmOptions = {}): () => LocalSlurm {
  let slurm: LocalSlurm | undefined;
  beforeAll(async () => {
    slurm = await LocalSlurm.start(options);
    process.env["SLURM_CONF"] = slurm.env.SLURM_CONF;
  }, 60_000);
  afterAll(async () => {
    delete process.env["SLURM_CONF"];
    await slurm?.stop();
  }, 60_000);
  return () => {
    if (slurm === undefined) throw new Error("Slurm is not there before the tests begin");
    return slurm;
  };
}

function isZombie(pid: number): boolean {
  try {
    return /^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port);
  for (const server of servers) server.close();
  return ports;
}
