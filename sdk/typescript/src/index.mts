// The same for `import`. One implementation for both, so that an error is an instance of its class whoever loaded it.
export * from "./index.js";
