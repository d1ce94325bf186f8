/**
 * The whole system in one process under virtual time: what production code does when everything around it goes wrong.
 *
 * Test code only: nothing of the product imports it.
 */
export { BUGS, type Bug } from "./bugs.ts";
export { VIOLATIONS, type ViolationKind } from "./checks/violation.ts";
export { FAULT_KINDS, type FaultKind, only, type Temper } from "./faults.ts";
export { simulate, type SimulationOptions, type SimulationReport } from "./simulate.ts";
