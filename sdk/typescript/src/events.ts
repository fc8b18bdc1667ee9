import type { Outcome, ResultData, RunError } from "./execution.js";

/** It runs now. May be missing where it ended before it began. */
export interface StartedEvent {
  readonly type: "started";
  /** The run's id on the server. */
  readonly id: string;
}

/** Output, as it comes. */
export interface OutputEvent {
  readonly type: "stdout" | "stderr";
  /** What was written; characters are whole. Empty where bytes were asked for. */
  readonly text: string;
  /** What was written as it is, where the encoding `base64` was asked for. */
  readonly content?: Uint8Array;
  /** Where `attach` goes on after this output. */
  readonly offset?: number;
}

/** The value of the last expression. */
export interface ResultEvent {
  readonly type: "result";
  /** By MIME type, `text/plain` among them; binary ones in base64. */
  readonly data: ResultData;
  /** MIME types left out for their size. */
  readonly omitted: readonly string[];
}

/** What the cell raised. */
export interface ErrorEvent extends RunError {
  readonly type: "error";
}

/** The end; nothing follows. */
export interface FinishedEvent {
  readonly type: "finished";
  readonly outcome: Outcome;
  readonly hasError: boolean;
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly stateLost: boolean;
  /** Seconds that it ran. */
  readonly duration: number;
}

/** One thing that happened in a run or a command, in order. */
export type RunEvent = StartedEvent | OutputEvent | ResultEvent | ErrorEvent | FinishedEvent;
