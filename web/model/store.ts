/**
 * Holds what the page knows: the project, the build that it watches, and the state of the connection. It gets a
 * snapshot and then applies the messages of the stream. After a break it goes on from the last message that it has.
 */
import { computed, signal } from "@preact/signals";
import type { EventLine } from "../../src/events/event-lines.ts";
import { LiveBuild } from "../../src/ui/live-build.ts";
import type { BuildState, Message, ProjectView, Snapshot, WatchedBuild } from "../../src/ui/messages.ts";
import { ask, report } from "./source.ts";

/** "none": the page is a report, without a server. */
export type Connection = "connecting" | "live" | "lost" | "gone" | "none";

export const connection = signal<Connection>("connecting");
export const project = signal<ProjectView | null>(null);
export const live = signal<LiveBuild | null>(null);
export const buildState = signal<BuildState>("ended");
/** When the build wrote its last event. */
export const heard = signal(0);
/** Counts the changes of `live`, because `live` is changed in place. */
export const version = signal(0);
/**
 * Call this in a component that draws `live`. `live` is changed in place, so the component must depend on `version`.
 */
export function dependOnLive(): number {
  return version.value;
}
/** The time by the server's clock, updated every second. */
export const now = signal(Date.now());

/** Whether a build runs, as far as the page knows. */
export const isRunning = computed(() => live.value !== null && buildState.value === "running");

/** After this many seconds without an answer, the page says that the server is gone. */
const GONE_S = 20;

let last = 0;
let offset = 0;
let source: EventSource | null = null;
let lostSince: number | null = null;
let attempts = 0;

export function start(): void {
  if (report !== null) {
    const { build, state } = report;
    connection.value = "none";
    now.value = build.build.ended?.at ?? build.build.head.at;
    project.value = report.project;
    take({ state, heard: now.value, build: build.build });
    return;
  }
  setInterval(() => {
    now.value = Date.now() + offset;
    live.value?.tick(now.value);
    if (lostSince !== null && Date.now() - lostSince > GONE_S * 1000) connection.value = "gone";
  }, 1000);
  // A browser allows six connections to a server, so a hidden tab closes its connection.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) disconnect();
    else connect();
  });
  void begin();
}

async function begin(): Promise<void> {
  disconnect();
  try {
    const snapshot = await ask<Snapshot>("snapshot");
    last = snapshot.id;
    offset = snapshot.now - Date.now();
    now.value = snapshot.now;
    project.value = snapshot.project;
    take(snapshot.watched);
    connect();
  } catch {
    lost();
    setTimeout(() => void begin(), wait());
  }
}

function connect(): void {
  if (source !== null || document.hidden) return;
  const opened = new EventSource(`api/stream?from=${last}`);
  source = opened;
  opened.onopen = () => {
    connection.value = "live";
    lostSince = null;
    attempts = 0;
  };
  opened.onmessage = ({ data, lastEventId }: MessageEvent<string>) => {
    last = Number(lastEventId);
    apply(JSON.parse(data) as Message);
  };
  opened.addEventListener("anew", () => void begin());
  opened.onerror = () => {
    lost();
    if (source !== opened) return;
    disconnect();
    setTimeout(connect, wait());
  };
}

function disconnect(): void {
  source?.close();
  source = null;
}

function lost(): void {
  lostSince ??= Date.now();
  if (connection.value !== "gone") connection.value = "lost";
}

function wait(): number {
  attempts += 1;
  return Math.min(5000, 250 * 2 ** attempts);
}

function apply(message: Message): void {
  switch (message.kind) {
    case "project":
      void ask<ProjectView>("project").then((view) => (project.value = view));
      return;
    case "build":
      take(message.watched);
      return;
    case "state":
      if (live.value?.head.build !== message.build) return;
      buildState.value = message.state;
      heard.value = message.heard;
      return;
    case "lines":
      if (live.value?.head.build !== message.build) return;
      for (const line of message.lines) live.value.apply(line as EventLine);
      version.value += 1;
  }
}

function take(watched: WatchedBuild | null): void {
  live.value = watched === null ? null : LiveBuild.from(watched.build);
  buildState.value = watched?.state ?? "ended";
  heard.value = watched?.heard ?? 0;
  version.value += 1;
}
