// The Node driver: keeps one context and runs the agent's cells in it, one at a time (spec/driver.md).
//
// The main thread reads cells from descriptor 4 and evaluates them through V8's inspector in REPL mode, on itself: the
// call is synchronous and within an AsyncLocalStorage, so all that a cell starts is known as its own. A second thread
// waits for interrupts on descriptor 7; it reaches the main thread through the inspector as well, in the middle of
// whatever runs there. Tenant code shares this process: what the driver needs afterwards it takes hold of here.
'use strict';

const fs = require('fs');
const net = require('net');
const vm = require('vm');
const path = require('path');
const util = require('util');
const Module = require('module');
const childProcess = require('child_process');
const { Readable, Writable } = require('stream');
const { promiseHooks } = require('v8');
const { Session } = require('inspector');
const { AsyncLocalStorage } = require('async_hooks');
const { Worker, SHARE_ENV } = require('worker_threads');

const STDOUT = 1;
const STDERR = 2;
const CONTROL = 4;
const BACKGROUND = { [STDOUT]: 5, [STDERR]: 6 };
const INTERRUPTS = 7;
const MAX_FRAME = 8 << 20;
const MAX_TEXT = 1_000_000;
const MAX_JSON = 250_000;
const DRIVER = 'microsandbox:driver'; // the name that the bootstrap gives to this file
const NO_INPUT = 'a cell has no standard input';

// ---- kept out of the tenant's reach ---------------------------------------------------------------------------------

const { parse, stringify } = JSON;
const { writeSync } = fs;
const { inspect } = util;
const { store, wait } = Atomics;
const { concat, from, allocUnsafe } = Buffer;
const { setImmediate, setTimeout } = globalThis;
const { cwd: workingDirectory } = process;
const { getPrototypeOf, getOwnPropertyDescriptor, keys, defineProperty } = Object;
const { isArray } = Array;
const wellFormed = Function.prototype.call.bind(String.prototype.toWellFormed);
const leave = process.reallyExit.bind(process);

// ---- descriptors ----------------------------------------------------------------------------------------------------

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Writes all of it. A child can have made the shared pipe non-blocking, so EAGAIN means to wait. */
function writeFully(fd, bytes) {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at, bytes.length - at);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      wait(pause, 0, 0, 1);
    }
  }
}

function frame(json) {
  const body = from(json, 'utf8');
  const head = allocUnsafe(4);
  head.writeUInt32BE(body.length, 0);
  return concat([head, body]);
}

/** Sends messages, given as JSON texts, in one write. They are put together by hand: a tenant's toJSON has no say. */
function send(...messages) {
  try {
    writeFully(CONTROL, concat(messages.map(frame)));
  } catch {
    leave(1); // nobody to talk to
  }
}

function quote(text) {
  return stringify(wellFormed(text));
}

function shorten(text) {
  if (text.length <= MAX_TEXT) return text;
  const half = MAX_TEXT / 2;
  return `${text.slice(0, half)}\n… ${text.length - MAX_TEXT} characters left out …\n${text.slice(-half)}`;
}

// ---- cells ----------------------------------------------------------------------------------------------------------

/** The id of the cell to which running code belongs, however late it runs. */
const origin = new AsyncLocalStorage();
const session = new Session();
/** The id of the cell that runs now, for the other thread; modulo what an Int32 holds. */
const shared = new Int32Array(new SharedArrayBuffer(4));
const SHARED_IDS = 2 ** 30;
/** The cell that runs now, as runCell makes it. */
let running = null;
let lastFinished = 0;
/** An interrupt that was quicker than its cell. */
let interruptedEarly = 0;

function runCell({ id, number, code }) {
  const cell = { id, number, source: '', value: null, failure: null, done: false };
  Object.assign(cell, { interrupted: false, signalled: false, readInput: false });
  running = cell;
  store(shared, 0, id % SHARED_IDS);
  send(`{"type":"started","id":${id}}`);
  if (interruptedEarly === id) {
    cell.interrupted = true;
    return finish(cell);
  }
  enterWorkingDirectory();
  try {
    cell.source = translate(code);
    evaluate(cell);
  } catch (error) {
    fail(cell, error);
    conclude(cell);
  }
}

function evaluate(cell) {
  const parameters = {
    expression: `${cell.source}\n//# sourceURL=<cell_${cell.number}>`,
    replMode: true,
    awaitPromise: true,
    objectGroup: 'cell',
  };
  const forgetPromise = holdNextPromise();
  origin.run(cell.id, () =>
    session.post('Runtime.evaluate', parameters, (error, answer) => {
      forgetPromise();
      evaluated(cell, error, answer);
    }),
  );
}

const heldPromises = new Set();

/**
 * Keeps the next promise that is made, the one for the cell as a whole, until the function that is returned is called.
 * Were it collected before it settles, the inspector would call us out of the garbage collector, and V8 abort.
 */
function holdNextPromise() {
  let held;
  const stop = promiseHooks.onInit((promise) => {
    stop();
    if (!held) heldPromises.add((held = promise));
  });
  return () => heldPromises.delete(held);
}

function evaluated(cell, error, answer) {
  if (cell !== running || cell.done) return; // abandoned by an interrupt
  try {
    if (error) cell.interrupted = true; // the inspector's word for "was terminated"
    else if (answer.exceptionDetails) fail(cell, localValue(answer.exceptionDetails.exception), answer.exceptionDetails);
    else if (answer.result.type !== 'undefined') cell.value = describe(localValue(answer.result));
  } catch (raised) {
    fail(cell, raised);
  }
  conclude(cell);
}

/** Ends the cell after one turn of the loop, by when the promises that it rejected have been reported. */
function conclude(cell) {
  cell.done = true;
  setImmediate(finish, cell);
}

function finish(cell) {
  if (stackIsStale) forgetAsyncStack();
  stackIsStale = false;
  if (cell !== running) return;
  if (cell.signalled && !cell.interrupted) {
    cell.signalled = false; // the interrupt itself, with the id that it is for, will be here in a moment
    setTimeout(finish, 100, cell);
    return;
  }
  store(shared, 0, 0);
  running = null; // from here on an interrupt leaves this thread alone
  lastFinished = cell.id;
  const status = cell.interrupted ? 'interrupted' : cell.failure ? 'error' : 'ok';
  const messages = [`{"type":"finished","id":${cell.id},"status":"${status}"}`];
  if (status === 'error') messages.unshift(errorMessage(cell.id, cell.failure));
  else if (status === 'ok' && cell.value) messages.unshift(`{"type":"result","id":${cell.id},"data":${cell.value}}`);
  session.post('Runtime.releaseObjectGroup', { objectGroup: 'cell' });
  control.ref();
  send(...messages);
}

function errorMessage(id, { name, message, traceback }) {
  return `{"type":"error","id":${id},"name":${quote(name)},"message":${quote(message)},"traceback":${quote(traceback)}}`;
}

const stash = { value: undefined };
let stashId;

/** The inspector's name for a value of ours; it can be reached for this moment only. */
function remoteId(value) {
  const key = `microsandbox:${Math.random()}`;
  defineProperty(globalThis, key, { configurable: true, value });
  let id;
  session.post('Runtime.evaluate', { expression: `globalThis['${key}']` }, (_error, { result }) => (id = result.objectId));
  delete globalThis[key];
  return id;
}

/** The value that the inspector's remote object stands for. */
function localValue(remote) {
  if (remote.type === 'undefined') return undefined;
  if ('value' in remote) return remote.value;
  if (!remote.objectId) return unserializable(remote.unserializableValue);
  const functionDeclaration = 'function(value) { this.value = value; }';
  const call = { functionDeclaration, objectId: stashId, arguments: [{ objectId: remote.objectId }] };
  session.post('Runtime.callFunctionOn', call);
  const { value } = stash;
  stash.value = undefined;
  return value;
}

function unserializable(text) {
  return text.endsWith('n') ? BigInt(text.slice(0, -1)) : Number(text);
}

// ---- results --------------------------------------------------------------------------------------------------------

/** The value as the JSON text of a map of MIME types. */
function describe(value) {
  const json = plainJson(value);
  const text = quote(shorten(inspect(value, { colors: false })));
  return json === null ? `{"text/plain":${text}}` : `{"text/plain":${text},"application/json":${json}}`;
}

function plainJson(value) {
  if (!isPlain(value, 0, { left: 20_000 })) return null;
  const json = stringify(value);
  return json === undefined || json.length > MAX_JSON || /\\ud[89a-f]/i.test(json) ? null : json;
}

/** Whether the value is made of nothing but what JSON can hold. */
function isPlain(value, depth, budget) {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth > 60 || util.types.isProxy(value) || 'toJSON' in value) return false;
  const prototype = getPrototypeOf(value);
  if (isArray(value) ? keys(value).length !== value.length : prototype !== null && prototype !== Object.prototype) {
    return false;
  }
  return keys(value).every((key) => {
    const property = getOwnPropertyDescriptor(value, key);
    return --budget.left > 0 && 'value' in property && isPlain(property.value, depth + 1, budget);
  });
}

// ---- errors ---------------------------------------------------------------------------------------------------------

/** Takes note of what the cell raised; only the first is its error, what follows goes to stderr. */
function fail(cell, raised, details) {
  let failure;
  try {
    failure = describeError(raised, details, cell);
  } catch {
    failure = { name: 'Error', message: 'an error that cannot be shown', traceback: 'an error that cannot be shown' };
  }
  if (cell.failure) write(STDERR, from(`${failure.traceback}\n`));
  else cell.failure = failure;
}

function describeError(raised, details, cell) {
  if (!util.types.isNativeError(raised)) {
    const text = shorten(inspect(raised, { colors: false }));
    return { name: 'Uncaught', message: text, traceback: `Uncaught ${text}` };
  }
  const name = shorten(String(raised.name));
  const message = shorten(String(raised.message));
  try {
    return { name, message, traceback: shorten(syntaxExcerpt(raised, details, cell) + errorText(raised)) };
  } catch {
    return { name, message, traceback: `${name}: ${message}` }; // the stack or a property of it raises
  }
}

/** As util.inspect has it, causes and properties included, without the frames that are Node's or ours. */
function errorText(error) {
  return cellNames(inspect(error, { colors: false }))
    .split('\n')
    .filter((line) => !/^\s+at /.test(line) || isTenantFrame(line))
    .join('\n')
    .replace(/ \{\n\s*\}$/, '');
}

function isTenantFrame(line) {
  return !/\(?(node:|microsandbox:|<anonymous>\)?$)/.test(line) && /:\d+:\d+\)?( \{)?$/.test(line);
}

function cellNames(text) {
  return text.replace(/<cell_(\d+)>/g, '<cell $1>');
}

/** The line and the caret, for code that does not parse: V8's stack has no frame for that. */
function syntaxExcerpt(error, details, cell) {
  if (!details || error.name !== 'SyntaxError') return '';
  const { number, source } = cell;
  if (String(error.stack).includes(`<cell ${number}>`)) return '';
  const line = source.split('\n')[details.lineNumber];
  if (line === undefined || line.length > 1000) return '';
  const caret = line.slice(0, details.columnNumber).replace(/[^\t]/g, ' ');
  return `<cell ${number}>:${details.lineNumber + 1}\n${line}\n${caret}^\n\n`;
}

/**
 * What Error.stack shows: cells under their names, and nothing below them, for that is the driver. Node has a function of
 * its own in this place, and tenants may put theirs.
 */
function prepareStackTrace(error, trace) {
  const ours = trace.findIndex((site) => site.getFileName() === DRIVER);
  const shown = (ours < 0 ? trace : trace.slice(0, ours)).map(String).filter((line) => !line.includes('node:inspector:'));
  return cellNames([titleOf(error), ...shown].join('\n    at '));
}

function titleOf(error) {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return 'Error';
  }
}

// ---- output and input -----------------------------------------------------------------------------------------------

/** Whether the code that calls this was started by the cell that runs now. */
function isOfRunningCell() {
  const id = origin.getStore();
  return running !== null && (id === undefined || id === running.id);
}

/** Where code that runs now has to write: its cell's own descriptor, or the background's once that cell is over. */
function target(fd) {
  return isOfRunningCell() ? fd : BACKGROUND[fd];
}

function write(fd, bytes) {
  try {
    writeFully(target(fd), bytes);
  } catch (error) {
    if (error.code !== 'EPIPE') throw error; // nobody reads any more
  }
}

/** process.stdout and process.stderr: synchronous, so that order and completeness hold. */
class CellOutput extends Writable {
  constructor(fd) {
    super({ decodeStrings: true });
    defineProperty(this, 'fd', { value: fd });
    this._isStdio = true;
    this._type = 'pipe';
  }

  _write(chunk, _encoding, callback) {
    try {
      write(this.fd, chunk);
      callback();
    } catch (error) {
      callback(error);
    }
  }

  _destroy(error, callback) {
    callback(error); // as Node's own: the descriptor stays open
  }
}

/** process.stdin: at its end at once, and a cell that waits for it is told so. */
class NoInput extends Readable {
  fd = 0;

  _read() {
    if (isOfRunningCell() && !running.readInput) {
      running.readInput = true;
      write(STDERR, from(`${NO_INPUT}\n`));
      control.unref(); // an empty loop then means that the cell waits for input
    }
    this.push(null);
  }
}

function endCellThatWaitsForInput() {
  if (!running || !running.readInput || running.done) return;
  fail(running, new Error(NO_INPUT));
  conclude(running);
}

const streams = {};

/** Makes the three streams, and makes them anew for the next cell where one has used them up. */
function installStreams() {
  const lazily = (name, create) => {
    if (name in streams && !(streams[name]?.readableEnded || streams[name]?.writableEnded)) return;
    streams[name] = null;
    const get = () => (streams[name] ??= create());
    defineProperty(process, name, { configurable: true, enumerable: true, get });
  };
  lazily('stdout', () => new CellOutput(STDOUT));
  lazily('stderr', () => new CellOutput(STDERR));
  lazily('stdin', () => new NoInput());
}

// ---- what happens behind a cell's back ------------------------------------------------------------------------------

function strayError(raised, prefix) {
  if (isOfRunningCell()) return fail(running, raised);
  write(STDERR, from(`${prefix}${describeError(raised).traceback}\n`));
}

const onUncaught = (error) => strayError(error, 'Uncaught ');
const onRejection = (reason) => strayError(reason, 'Uncaught (in promise) ');
/** Comes with each interrupt, for children that the main thread waits for, and can be quicker than the other thread. */
const onSigint = () => {
  if (stackIsStale) forgetAsyncStack();
  if (running) running.signalled = true;
};

/** Put back before each cell: without them a tenant's removeAllListeners would end the process. */
function installListeners() {
  for (const [event, listener] of [
    ['uncaughtException', onUncaught],
    ['unhandledRejection', onRejection],
    ['SIGINT', onSigint],
    ['beforeExit', endCellThatWaitsForInput],
  ]) {
    if (!process.listeners(event).includes(listener)) process.on(event, listener);
  }
}

// ---- modules --------------------------------------------------------------------------------------------------------

let moduleDirectory;

/** Makes require, module and import() those of a file in the working directory. */
function enterWorkingDirectory() {
  const directory = workingDirectory();
  if (directory === moduleDirectory) return;
  moduleDirectory = directory;
  const filename = path.join(directory, 'cell.js');
  const main = new Module(filename, null);
  main.filename = filename;
  main.paths = Module._nodeModulePaths(directory);
  process.mainModule = main;
  process.argv = [process.execPath, filename];
  const require = Module.createRequire(filename);
  require.main = main;
  main._compile('module.exports = (name, options) => import(name, options);', filename);
  const dynamicImport = main.exports;
  main.exports = {};
  expose({ require, module: main, exports: main.exports, __filename: filename, __dirname: directory });
  expose({ [IMPORT]: dynamicImport, [SHELL]: runShell });
}

function expose(values) {
  for (const [name, value] of Object.entries(values)) {
    defineProperty(globalThis, name, { configurable: true, writable: true, enumerable: false, value });
  }
}

// ---- shell lines ----------------------------------------------------------------------------------------------------

/** Runs a command of a shell line with the cell's own output. */
function runShell(command) {
  const failure = new Error(command); // made here for its stack, which shows the line
  const { promise, resolve, reject } = deferred();
  const child = childProcess.spawn(shell(), ['-c', command], { stdio: ['ignore', STDOUT, STDERR] });
  child.on('error', reject);
  child.on('close', (status, signal) => {
    if (status === 0) return resolve();
    const message = `the command ended with ${status ?? signal}: ${command}`;
    const stack = failure.stack.replace(`Error: ${command}`, () => `ShellError: ${message}`);
    for (const [name, value] of Object.entries({ name: 'ShellError', message, stack })) {
      defineProperty(failure, name, { value, configurable: true, writable: true });
    }
    reject(failure);
  });
  return promise;
}

function shell() {
  const { SHELL: preferred } = process.env;
  return /^\/.*\/(?:ba|da|z|k|a)?sh$/.test(preferred) && fs.existsSync(preferred) ? preferred : '/bin/sh';
}

function deferred() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

// ---- from what users write to what V8 evaluates ---------------------------------------------------------------------

const IMPORT = '__microsandbox_import';
const SHELL = '__microsandbox_shell';
const SPECIAL = /\bimport\b|^[ \t]*(?:!|%(?:pip|npm)\b|(?:npm|npx|pip3?|python3? -m pip)[ \t])/m;
const SHELL_LINE = /^(?:!(?![=!([{]|function\b|async\b)|(?=%(?:pip|npm)\b))[ \t]*%?([^]*)/;
const TOOL_LINE = /^((?:npm|npx|pip3?|python3? -m pip)[ \t]+[A-Za-z-][^]*)/;
const STATIC_IMPORT =
  /^import\s*(?:(?<clause>[\w$*{][^'"();]*?)\s*from\s*)?(?<name>'[^'\n]*'|"[^"\n]*")(?:\s*(?:with|assert)\s*(?<attributes>\{[^}]*\}))?[ \t]*;?/;
const DYNAMIC_IMPORT = /^import\s*\(/;

function translate(code) {
  if (/^\s*\{[^]*\}\s*$/.test(code) && parses(`(${code}\n)`)) return `(${code}\n)`; // an object, as in DevTools
  return SPECIAL.test(code) ? rewrite(code) : code;
}

function parses(code) {
  try {
    new vm.Script(code);
    return true;
  } catch {
    return false;
  }
}

/** Puts import() for static imports and a call for each shell line; all else, and every line break, stays. */
function rewrite(code) {
  let result = '';
  let copied = 0;
  for (const { at, depth, statement, lineStart } of words(code, (end) => (copied > end ? copied : end))) {
    const replacement = replacementFor(code.slice(at), statement && depth === 0, lineStart);
    if (!replacement) continue;
    result += code.slice(copied, at) + replacement.text;
    copied = at + replacement.length;
  }
  return result + code.slice(copied);
}

function replacementFor(rest, isStatement, isLineStart) {
  const dynamic = DYNAMIC_IMPORT.exec(rest);
  if (dynamic) return { text: IMPORT, length: 'import'.length };
  if (!isStatement) return null;
  const line = rest.slice(0, lineEnd(rest));
  const command = isLineStart && shellCommand(line);
  if (command) return { text: `await ${SHELL}(${quote(command.trim())});${lineBreaks(line)}`, length: line.length };
  const match = STATIC_IMPORT.exec(rest);
  return match && { text: dynamicForm(match), length: match[0].length };
}

function lineEnd(text) {
  const end = text.search(/(?<!\\)\r?\n/);
  return end < 0 ? text.length : end;
}

function shellCommand(line) {
  const explicit = SHELL_LINE.exec(line);
  if (explicit) return explicit[1];
  const tool = TOOL_LINE.exec(line);
  return tool && !parses(line) ? tool[1] : null;
}

function lineBreaks(text) {
  return text.replace(/[^\n]/g, '');
}

function dynamicForm({ 0: whole, groups: { clause, name, attributes } }) {
  const breaks = lineBreaks(whole);
  const loaded = `await ${IMPORT}(${name}${attributes ? `, { with: ${attributes} }` : ''})`;
  if (!clause) return `${loaded}${breaks};`;
  const names = clause.replace(/\/\/[^\n]*|\/\*[^]*?\*\//g, ' ');
  const [, first, second] = /^([\w$]+)?\s*,?\s*([*{][^]*)?$/.exec(names) ?? [];
  const space = /^\*\s*as\s+([\w$]+)/.exec(second ?? '')?.[1];
  const named = second && !space ? second.trim().slice(1, -1).replace(/\s+as\s+/g, ': ').replace(/\s+/g, ' ') : '';
  const wanted = [first && `default: ${first}`, named].filter(Boolean).join(', ');
  if (!space) return `const { ${wanted} } = ${loaded}${breaks};`;
  return `const ${space} = ${loaded}${first ? `, { default: ${first} } = ${space}` : ''}${breaks};`;
}

// ---- a tokenizer that knows just enough of JavaScript ---------------------------------------------------------------

const TOKEN =
  /(?<space>[^\S\n]+)|(?<line>\n)|(?<comment>\/\/[^\n]*|\/\*[^]*?(?:\*\/|$))|(?<string>'(?:\\[^]|[^'\\\n])*'?|"(?:\\[^]|[^"\\\n])*"?)|(?<word>[\p{ID_Start}$_#\d][\p{ID_Continue}$\u200c\u200d]*)|(?<mark>[^])/uy;
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/\w*/y;
const TEMPLATE = /(?:\\[^]|\$(?!\{)|[^`\\$])*(?:`|\$\{|$)/y;
const BEFORE_OPERAND = /^(?:return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield|instanceof)$/;

/**
 * The places where a word, `!` or `%` stands outside strings, comments, templates and regular expressions.
 * `resume` is asked where to go on, since the reader may have taken more than the word.
 */
function* words(code, resume) {
  const open = []; // brackets and templates around this place
  let last = ''; // the last token that was no space or comment
  let lineStart = true;
  let statement = true;
  for (let at = 0; at < code.length; ) {
    TOKEN.lastIndex = at;
    const { groups, 0: text } = TOKEN.exec(code);
    const start = at;
    at += text.length;
    if (groups.space || groups.comment) continue;
    if (groups.line) {
      lineStart = true;
      statement ||= endsStatement(last);
      continue;
    }
    if (groups.word || text === '!' || text === '%') {
      if (last !== '.') yield { at: start, depth: open.length, statement, lineStart };
      const next = resume(at);
      if (next > at) {
        at = next;
        last = ';';
        statement = true;
        continue;
      }
    } else if (text === '/' && beginsOperand(last)) {
      REGEX.lastIndex = start;
      at += (REGEX.exec(code)?.[0].length ?? 1) - 1;
    } else if (text === '`' || (text === '}' && open.at(-1) === '`')) {
      if (text === '}') open.pop();
      TEMPLATE.lastIndex = at;
      const [piece] = TEMPLATE.exec(code);
      at += piece.length;
      if (piece.endsWith('${')) open.push('`');
    } else if ('([{'.includes(text)) open.push(text);
    else if (')]}'.includes(text)) open.pop();
    last = tokenBefore(code, at, text);
    statement = text === ';' || text === '}' || text === '{';
    lineStart = false;
  }
}

/** A template's piece that opens an expression is to what follows like an opening bracket. */
function tokenBefore(code, at, text) {
  return code.endsWith('${', at) ? '(' : text;
}

function beginsOperand(last) {
  return last === '' || BEFORE_OPERAND.test(last) || !/[\p{ID_Continue}$)\]}'"`/]$/u.test(last);
}

function endsStatement(last) {
  return !/^[=+\-*%&|^<>?:,([.~!]$/.test(last) && !BEFORE_OPERAND.test(last);
}

// ---- interrupts -----------------------------------------------------------------------------------------------------

/** Whether code that an interrupt terminated may have left its ids on Node's stack of asynchronous contexts. */
let stackIsStale = false;

/**
 * Up to Node 22 the main thread can terminate what this call came in between. That is exact, and has to be: with its
 * promise hooks a single step more leaves an id on the stack. Later ones lose such a termination, and have no such hooks.
 */
const TERMINATES_FROM_WITHIN = parseInt(process.versions.node, 10) < 24;

/**
 * Stops the cell, as far as this can be done from within. Runs on the main thread, asked by the other one, possibly in
 * the middle of any JavaScript: where it says 'stuck', that has to be terminated.
 */
function interrupt(id, terminate) {
  if (id <= lastFinished) return 'over';
  if (running && running.id === id) {
    running.interrupted = true;
    setImmediate(finish, running);
  } else interruptedEarly = id;
  if (!isStuck()) return 'turning';
  if (terminate) {
    stackIsStale = true;
    forgetAsyncStack();
    if (TERMINATES_FROM_WITHIN) session.post('Runtime.terminateExecution');
  }
  return 'stuck';
}

let turns = 0;
let turnsWhenAsked = -1;

/** Whether JavaScript is running, and the loop has not turned since this was last asked: only then is force in place. */
function isStuck() {
  const stuck = turnsWhenAsked === turns && isBusy();
  turnsWhenAsked = turns;
  setImmediate(() => turns++);
  return stuck;
}

/** Whether JavaScript was running when this call came in between. */
function isBusy() {
  const { stackTraceLimit, prepareStackTrace: theirs } = Error;
  Error.stackTraceLimit = 20;
  Error.prepareStackTrace = undefined;
  const { stack } = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  Error.prepareStackTrace = theirs;
  return stack.split('\n').length > OWN_FRAMES;
}

/** The title, isBusy, isStuck, interrupt and the inspector's function that called it. */
const OWN_FRAMES = 5;

/**
 * Termination skips the code with which timers and promises take their ids off Node's stack of asynchronous contexts, and
 * Node aborts when it finds them there. It empties that stack after an uncaught exception: so it is told of one.
 */
function forgetAsyncStack() {
  const { emit } = process;
  process.emit = () => true;
  try {
    process._fatalException(new Error('interrupted'), false);
  } finally {
    process.emit = emit;
  }
}

/** What the second thread runs: it hands each interrupt to the main thread. */
function watchInterrupts() {
  const { workerData } = require('worker_threads');
  const { Session } = require('inspector');
  const { Socket } = require('net');
  const session = new Session();
  let objectId; // the inspector's name for `interrupt`
  let wanted = 0; // the cell that is to end
  let failures = 0;

  const socket = new Socket({ fd: workerData.fd, readable: true, writable: false }); // keeps this thread alive
  let received = Buffer.alloc(0);
  socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes]);
    while (received.length >= 4 && received.length >= 4 + received.readUInt32BE(0)) {
      const end = 4 + received.readUInt32BE(0);
      const { type, id } = JSON.parse(received.toString('utf8', 4, end));
      received = received.subarray(end);
      if (type === 'interrupt') endCell(Number(id));
    }
  });

  session.connectToMainThread();
  session.post('Runtime.evaluate', { expression: `globalThis[${JSON.stringify(workerData.key)}]` }, (error, answer) => {
    if (error) return;
    objectId = answer.result.objectId;
    if (wanted) deliver(wanted, 0);
  });

  function endCell(id) {
    wanted = id;
    if (objectId) deliver(id, 0);
  }

  function ask(id, terminate, done) {
    const functionDeclaration = `function() { return this(${id}, ${terminate}); }`;
    session.post('Runtime.callFunctionOn', { objectId, functionDeclaration, returnByValue: true }, (error, answer) =>
      done(error || answer.exceptionDetails ? 'failed' : answer.result.value),
    );
  }

  /**
   * Asks for the cell's end, which a loop that turns brings about; then ends by force what keeps it from turning. One
   * thing at a time: a question that reaches the main thread after a termination would take it up.
   */
  function deliver(id, attempt) {
    let over = false;
    const again = () => {
      if (!over && wanted === id && attempt < 100) deliver(id, attempt + 1);
      over = true;
    };
    setTimeout(again, 150); // the question was itself terminated
    ask(id, false, (state) => {
      if (state === 'over') over = true;
      else if (state === 'stuck') terminate(id, attempt, () => setTimeout(again, 15));
      else {
        // One failure is a question that met a termination; more of them are a stack too full to be asked anything.
        if (state === 'failed' && ++failures % 4 === 0 && isRunning(id)) force(id);
        setTimeout(again, 15);
      }
    });
  }

  /** Both messages reach the main thread at one moment, so that what `interrupt` arranges still holds at the end. */
  function terminate(id, attempt, done) {
    ask(id, true, done);
    if (!workerData.fromWithin || attempt > 1) force(id);
  }

  function force(id) {
    session.post('Runtime.terminateExecution', () => {
      // Where it met nothing it would meet the next cell: this takes it up.
      if (!isRunning(id)) session.post('Runtime.evaluate', { expression: '0' });
    });
  }

  function isRunning(id) {
    return Atomics.load(workerData.shared, 0) === id % workerData.ids;
  }
}

/** Lets the second thread find `interrupt`, once, under a name that nobody else knows. */
function startInterruptThread() {
  const key = `microsandbox:${process.hrtime.bigint()}:${Math.random()}`;
  const get = () => {
    delete globalThis[key];
    return interrupt;
  };
  defineProperty(globalThis, key, { configurable: true, enumerable: false, get });
  const options = { eval: true, env: SHARE_ENV, execArgv: [], workerData: { key, fd: INTERRUPTS, shared, ids: SHARED_IDS, fromWithin: TERMINATES_FROM_WITHIN } };
  const worker = new Worker(`(${watchInterrupts})()`, options);
  worker.unref();
}

// ---- the control connection -----------------------------------------------------------------------------------------

let control;

function handle(message) {
  if (message.type === 'cell') setImmediate(begin, message);
  else if (message.type === 'environment') setEnvironment(message.set);
  else if (message.type === 'exit') process.exit(0);
}

function begin(message) {
  delete Object.prototype.toJSON; // the inspector's own messages would go through it
  installStreams();
  installListeners();
  runCell(message);
}

function setEnvironment(variables) {
  for (const [name, value] of Object.entries(variables)) {
    if (value === null) delete process.env[name];
    else process.env[name] = value;
  }
}

function readControl() {
  let received = from('');
  control = new net.Socket({ fd: CONTROL, readable: true, writable: true });
  control.on('data', (bytes) => {
    received = received.length ? concat([received, bytes]) : bytes;
    while (received.length >= 4) {
      const end = 4 + received.readUInt32BE(0);
      if (end > 4 + MAX_FRAME) leave(1);
      if (received.length < end) break;
      const message = parse(received.toString('utf8', 4, end));
      received = received.subarray(end);
      handle(message);
    }
  });
  control.on('end', () => leave(0));
  control.on('error', () => leave(1));
}

function start() {
  fs.closeSync(3);
  process.execArgv = []; // else child_process.fork would start drivers
  session.connect();
  stashId = remoteId(stash);
  Error.prepareStackTrace = prepareStackTrace;
  installStreams();
  installListeners();
  readControl();
  const { node } = process.versions;
  send(`{"type":"ready","protocol":1,"language":"node","version":"${node}","pid":${process.pid}}`);
  setImmediate(() => {
    startInterruptThread();
    enterWorkingDirectory(); // not before: the bootstrap's own module is put in place when that has ended
  });
}

start();
