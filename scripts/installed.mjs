/**
 * Exits with 0 if node_modules has exactly the versions that package-lock.json asks for. So a lock file that is only
 * newer (after a checkout or an `npm install`) costs no second install.
 */
import { readFileSync, utimesSync } from "node:fs";

const wantedFile = new URL("../package-lock.json", import.meta.url);
const foundFile = new URL("../node_modules/.package-lock.json", import.meta.url);

try {
  const wanted = packages(wantedFile);
  const found = packages(foundFile);
  const missing = Object.entries(wanted).filter(
    ([path, { version, optional }]) =>
      path !== "" && (path in found ? found[path].version !== version : optional !== true),
  );
  if (missing.length > 0) process.exit(1);
  const now = new Date();
  utimesSync(foundFile, now, now);
} catch {
  process.exit(1);
}

function packages(file) {
  return JSON.parse(readFileSync(file, "utf8")).packages;
}
