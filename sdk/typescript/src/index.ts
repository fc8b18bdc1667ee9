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
export type { Context, Contexts } from "./contexts.js";
export * from "./errors.js";
export type { ErrorEvent, FinishedEvent, OutputEvent, ResultEvent, RunEvent, StartedEvent } from "./events.js";
export { CommandExecution, Execution, type Outcome, type ResultData, type RunError } from "./execution.js";
export type { Files } from "./files.js";
export type { ImageInfo, LogEntry, SandboxInfo, ServerInfo } from "./info.js";
export type { Metrics, MetricsData } from "./metrics.js";
export {
  type AttachOptions,
  type CallOptions,
  type CellOptions,
  type CommandOptions,
  type CommandStreamOptions,
  type ConnectOptions,
  type ContextOptions,
  type ContextStreamOptions,
  type CreateOptions,
  type EncodingOptions,
  type ExtendOptions,
  type Isolation,
  type ListOptions,
  type LogOptions,
  type Network,
  type ReadOptions,
  type RunOptions,
  SandboxOptions,
  type SandboxOptionsBuilder,
  type ServerOptions,
  type SignalOptions,
  type StartOptions,
  type StreamOptions,
  type WriteOptions,
} from "./options.js";
export { BaseSandbox, NodeSandbox, PythonSandbox } from "./sandbox.js";
export { SandboxError } from "./sandbox-error.js";
export { Server } from "./server.js";
export { VERSION } from "./version.js";
