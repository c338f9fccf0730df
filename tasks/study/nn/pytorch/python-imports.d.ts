/** The text of a Python file. lq compiles it into the task, so that it counts as the task's code. */
declare module "*.py" {
  const code: string;
  export default code;
}
