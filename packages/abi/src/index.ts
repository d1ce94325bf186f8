export * from "./descriptor.ts";
export * from "./instrument.ts";
