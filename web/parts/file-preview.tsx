/** Shows a picture or text that a task made. It never puts file content into the document as markup. */
import { useEffect, useState } from "preact/hooks";
import { fileText, fileUrl } from "../model/source.ts";

/** How many characters to show at most. */
const MOST = 200_000;

export function FilePreview({ path, close }: { readonly path: string; readonly close: () => void }) {
  const url = fileUrl(path);
  const isPicture = /\.(png|jpe?g|gif|svg|webp)$/i.test(path);
  return (
    <figure class="preview">
      <figcaption>
        <span class="mono">{path}</span>{" "}
        {url !== null && (
          <a href={url} target="_blank" rel="noreferrer">
            open
          </a>
        )}{" "}
        <button type="button" onClick={close}>
          close
        </button>
      </figcaption>
      {isPicture && url !== null ? <img src={url} alt={path} /> : <TextOf path={path} />}
    </figure>
  );
}

export function TextOf({ path }: { readonly path: string }) {
  const [text, setText] = useState("…");
  useEffect(() => {
    let wanted = true;
    fileText(path).then(
      (found) => wanted && setText(found.slice(0, MOST)),
      (error: unknown) => wanted && setText((error as Error).message),
    );
    return () => void (wanted = false);
  }, [path]);
  return <pre tabIndex={0}>{text}</pre>;
}
