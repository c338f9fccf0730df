/** Reads and changes the page's address: `#/PAGE/REST?a=b`. It contains every view, filter and selection. */
import { computed, signal } from "@preact/signals";

const hash = signal(location.hash);
addEventListener("hashchange", () => (hash.value = location.hash));

export interface Route {
  readonly page: string;
  /** The part after the page's name, such as the id of a task. */
  readonly rest: string;
  readonly query: URLSearchParams;
}

export const route = computed((): Route => {
  const [path = "", query = ""] = hash.value.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [page = "", ...rest] = path.split("/");
  return { page, rest: decoded(rest.join("/")), query: new URLSearchParams(query) };
});

export function href(page: string, rest = "", query: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "")).toString();
  return `#/${page}${rest === "" ? "" : `/${encodeURIComponent(rest)}`}${search === "" ? "" : `?${search}`}`;
}

/** Changes a part of the query. It replaces the present entry of the browser's history. */
export function setQuery(change: Readonly<Record<string, string>>): void {
  const { page, rest, query } = route.value;
  history.replaceState(null, "", href(page, rest, { ...Object.fromEntries(query), ...change }));
  hash.value = location.hash;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
