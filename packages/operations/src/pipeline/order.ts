/**
 * The order of the one way in. Changing it is changing what the product promises; the traces of real commands
 * are compared with it (order.test.ts).
 *
 * `load` stands before the guards because risk and danger depend on what is touched; it only reads, and from
 * the same snapshot as they do. `redeem` puts the stored command in the place of the confirmation that names it, so
 * that a confirmed command passes every guard as it is then.
 */
import type { Stage } from "./run.ts";
import { authenticate } from "./stages/authenticate.ts";
import { authorise } from "./stages/authorise.ts";
import { challenge } from "./stages/challenge.ts";
import { commit } from "./stages/commit.ts";
import { decide } from "./stages/decide.ts";
import { dedupe } from "./stages/dedupe.ts";
import { gates } from "./stages/gates.ts";
import { guardrails } from "./stages/guardrails.ts";
import { load } from "./stages/load.ts";
import { lockFreeze } from "./stages/lock-freeze.ts";
import { redeem } from "./stages/redeem.ts";
import { request } from "./stages/request.ts";
import { safety } from "./stages/safety.ts";
import { validate } from "./stages/validate.ts";

/** Once per request; ends with the command durable. */
export const ADMISSION: readonly Stage[] = [authenticate, validate, authorise, dedupe, request];
/** From one snapshot, again at every attempt and after every crash. */
export const JUDGEMENT: readonly Stage[] = [redeem, load, lockFreeze, safety, gates, guardrails, challenge];
/** Pure decision, then state, events, outbox and answer in one commit. */
export const ACTUATION: readonly Stage[] = [decide, commit];

export const PIPELINE_ORDER: readonly Stage[] = [...ADMISSION, ...JUDGEMENT, ...ACTUATION];
