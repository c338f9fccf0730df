/** Runs commands in a container, with the container program of this machine. */
import { UserError } from "../model/errors.ts";
import type { Setting } from "../model/model.ts";

export interface Container {
  readonly image: string;
  /** Absolute path of the program that runs it. */
  readonly program: string;
  readonly kind: "apptainer" | "docker";
}

/** The parts of the machine that a command in a container can use. */
export interface Given {
  /** Absolute folders, which have the same paths inside. The command runs in the first. */
  readonly folders: readonly string[];
  /** Names of the environment variables that it gets. */
  readonly variables: readonly string[];
  /** Ids of GPUs. */
  readonly devices: readonly string[];
}

const PROGRAMS = [
  { name: "apptainer", kind: "apptainer" },
  { name: "singularity", kind: "apptainer" },
  { name: "podman", kind: "docker" },
  { name: "docker", kind: "docker" },
] as const;

const REGISTRY = "docker://";

/**
 * @param find absolute path of a program; null if it is not there
 * @throws UserError if no program here can run the image
 */
export function containerOf({ value, span }: Setting, find: (name: string) => string | null): Container {
  const isFile = !value.startsWith(REGISTRY);
  for (const { name, kind } of PROGRAMS) {
    const program = isFile && kind === "docker" ? null : find(name);
    if (program === null) continue;
    return { program, kind, image: kind === "docker" ? value.slice(REGISTRY.length) : value };
  }
  throw new UserError({
    message: `there is no program here that runs the container ${value}`,
    span,
    hint: `install ${isFile ? "apptainer" : "apptainer, podman or docker"}`,
  });
}

/** @returns the words of a command line that runs a command in the container as lq's own user */
export function inContainer(
  { image, program, kind }: Container,
  words: readonly string[],
  { folders, variables, devices }: Given,
): readonly string[] {
  const [root = "/"] = folders;
  if (kind === "apptainer") {
    const binds = folders.flatMap((folder) => ["--bind", `${folder}:${folder}`]);
    return [
      program,
      "exec",
      ...binds,
      "--pwd",
      root,
      ...(devices.length > 0 ? ["--nv"] : []),
      image,
      ...words,
    ];
  }
  const isPodman = program.endsWith("/podman");
  const user = isPodman
    ? ["--userns=keep-id"]
    : ["--user", `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`];
  const gpus = isPodman
    ? devices.flatMap((id) => ["--device", `nvidia.com/gpu=${id}`])
    : devices.length > 0
      ? ["--gpus", `"device=${devices.join(",")}"`]
      : [];
  return [
    ...[program, "run", "--rm", "--network", "host", ...user, ...gpus],
    ...folders.flatMap((folder) => ["--volume", `${folder}:${folder}`]),
    ...["--workdir", root],
    ...variables.flatMap((name) => ["--env", name]),
    image,
    ...words,
  ];
}
