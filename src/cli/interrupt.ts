/** SIGINT and SIGTERM cancel a build in order; a second signal ends lq at once. */

export interface Interrupt {
  readonly signal: AbortSignal;
  /** 130 or 143 once interrupted, else null. */
  exitCode(): number | null;
  /** Stops listening. */
  release(): void;
}

const CODES = { SIGINT: 130, SIGTERM: 143 } as const;

export function onInterrupt(): Interrupt {
  const controller = new AbortController();
  let code: number | null = null;
  const handlers = (["SIGINT", "SIGTERM"] as const).map((name) => {
    const handler = () => {
      if (code !== null) process.exit(code);
      code = CODES[name];
      process.stderr.write("interrupted: ending what runs (once more: at once)\n");
      controller.abort(new Error("interrupted"));
    };
    process.on(name, handler);
    return () => process.off(name, handler);
  });
  return {
    signal: controller.signal,
    exitCode: () => code,
    release: () => handlers.forEach((off) => off()),
  };
}
