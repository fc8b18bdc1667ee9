/**
 * microsandbox: run untrusted code in isolated sandboxes, on machines you own.
 *
 * @example
 * import { PythonSandbox } from "microsandbox";
 *
 * const sandbox = await PythonSandbox.create({ name: "demo" });
 * try {
 *   const execution = await sandbox.run("print('Hello from Python!')");
 *   console.log(await execution.output());
 * } finally {
 *   await sandbox.stop();
 * }
 *
 * @packageDocumentation
 */

export type { Command } from "./command.js";
export * from "./errors.js";
export type { ErrorEvent, FinishedEvent, OutputEvent, ResultEvent, RunEvent, StartedEvent } from "./events.js";
export { CommandExecution, Execution, type Outcome, type ResultData, type RunError } from "./execution.js";
export type { Files } from "./files.js";
export type { Metrics, MetricsData } from "./metrics.js";
export {
  type CallOptions,
  type CommandOptions,
  type CreateOptions,
  type Isolation,
  type Network,
  type ReadOptions,
  type RunOptions,
  SandboxOptions,
  type SandboxOptionsBuilder,
  type StartOptions,
  type WriteOptions,
} from "./options.js";
export { BaseSandbox, NodeSandbox, PythonSandbox, type SandboxInfo } from "./sandbox.js";
export { SandboxError } from "./sandbox-error.js";
export { VERSION } from "./version.js";
