/** Shows a picture or text that a task made. It never puts file content into the document as markup. */
import { useEffect, useState } from "preact/hooks";
import { fileUrl } from "./basics.tsx";

/** How many characters to show at most. */
const MOST = 200_000;

export function FilePreview({ path, close }: { readonly path: string; readonly close: () => void }) {
  const url = fileUrl(path);
  const isPicture = /\.(png|jpe?g|gif|svg|webp)$/i.test(path);
  return (
    <figure class="preview">
      <figcaption>
        <span class="mono">{path}</span>{" "}
        <a href={url} target="_blank" rel="noreferrer">
          open
        </a>{" "}
        <button type="button" onClick={close}>
          close
        </button>
      </figcaption>
      {isPicture ? <img src={url} alt={path} /> : <TextOf url={url} />}
    </figure>
  );
}

export function TextOf({ url }: { readonly url: string }) {
  const [text, setText] = useState("…");
  useEffect(() => {
    let wanted = true;
    fetch(url)
      .then(async (response) => (await response.text()).slice(0, MOST))
      .then(
        (found) => wanted && setText(found),
        () => wanted && setText("It cannot be read."),
      );
    return () => void (wanted = false);
  }, [url]);
  return <pre tabIndex={0}>{text}</pre>;
}
