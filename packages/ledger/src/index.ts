export * from "./append.ts";
export * from "./event.ts";
