/** URL of a module's compiled code for `new Worker(new URL(url))`. lq compiles the module together with the task. */
declare module "*?thread" {
  const url: string;
  export default url;
}
