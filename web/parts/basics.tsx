/** Small components that all pages use. */
import { useEffect, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { ask, fileUrl } from "../model/source.ts";
import { href } from "../model/route.ts";
import { SIGNS, type State } from "../model/tasks.ts";

export function Sign({ state }: { readonly state: State }) {
  return (
    <span class={`sign ${state}`} aria-hidden="true">
      {SIGNS[state]}
    </span>
  );
}

export function TaskLink({ id }: { readonly id: string }) {
  return (
    <a class="mono" href={href("task", id)}>
      {id}
    </a>
  );
}

export function Card({ title, note, children, class: name = "" }: CardProps) {
  const id = `card-${title.replace(/\W+/g, "-").toLowerCase()}`;
  return (
    <section class={`card ${name}`} aria-labelledby={id}>
      <h2>
        <span id={id}>{title}</span> {note !== undefined && <span class="note">{note}</span>}
      </h2>
      {children}
    </section>
  );
}

interface CardProps {
  readonly title: string;
  readonly note?: ComponentChildren;
  readonly class?: string;
  readonly children: ComponentChildren;
}

export interface Part {
  readonly kind: string;
  readonly value: number;
}

/** Draws parts of a whole side by side. Widths are attributes of SVG, because the page allows no style attributes. */
export function Bar({ parts, total, tall = false }: BarProps) {
  let x = 0;
  const scale = 1000 / Math.max(1, total);
  return (
    <svg
      class={tall ? "bar tall" : "bar"}
      viewBox="0 0 1000 10"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {parts.map(({ kind, value }) => {
        const at = x;
        x += value * scale;
        return (
          value > 0 && (
            <rect key={kind} class={`fill ${kind}`} x={at} width={Math.max(2, value * scale)} height="10" />
          )
        );
      })}
    </svg>
  );
}

interface BarProps {
  readonly parts: readonly Part[];
  readonly total: number;
  readonly tall?: boolean;
}

/** Asks the server a question, and again when `key` changes. The last answer stays until the next one comes. */
export function useAnswer<T>(
  path: string | null,
  key: unknown = 0,
): { readonly data: T | null; readonly error: string | null } {
  const [found, setFound] = useState<{ path: string; data: T | null; error: string | null } | null>(null);
  useEffect(() => {
    if (path === null) return undefined;
    let wanted = true;
    ask<T>(path).then(
      (data) => wanted && setFound({ path, data, error: null }),
      (error: unknown) => wanted && setFound({ path, data: null, error: (error as Error).message }),
    );
    return () => void (wanted = false);
  }, [path, key]);
  return found !== null && found.path === path ? found : { data: null, error: null };
}

/** Shows a command for a terminal, with a button that copies it. */
export function Command({ text }: { readonly text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    void navigator.clipboard.writeText(text).then(() => setCopied(true));
  };
  return (
    <div class="command">
      <code>{text}</code>
      <button type="button" onClick={copy} aria-label={`Copy ${text}`}>
        {copied ? "copied" : "copy"}
      </button>
    </div>
  );
}

/** A link that saves a file. It is text only where the report does not contain the file. */
export function FileLink({ path }: { readonly path: string }) {
  const url = fileUrl(path);
  if (url === null) return <span class="mono">{path}</span>;
  return (
    <a href={url} download={path.split("/").at(-1)}>
      {path}
    </a>
  );
}
