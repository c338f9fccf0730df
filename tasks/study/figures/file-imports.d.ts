/** `import path from "package/font.ttf?file"` gives the absolute path of a package's file. */
declare module "*?file" {
  const path: string;
  export default path;
}
