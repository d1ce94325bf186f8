/** Reading stops back: how far each has come, what holds it up and since when, and the signed record. */
import { err, failure, isoFromMicros, micros, ok } from "@rumi/kernel";
import type { Attester, Envelope } from "@rumi/ledger";
import { defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { BotIdField, CLOSED, CommandIdField, EVERYONE } from "../shared/fields.ts";
import { jsonOf } from "../shared/sql.ts";
import { rungsOf } from "./statement.ts";
import { readLadder, type LadderRow, type LadderTables } from "./tables.ts";
import { AttestationKeyAnswer, SignedStopAnswer, StopsAnswer } from "./answers.ts";

export function attestationDeclarations({ attester }: { readonly attester?: Attester }): readonly Declaration[] {
  return [
    defineQuery({
      name: "attestations.list",
      summary: "Stops of a bot's runs, newest first: rungs reached, what blocks the next one and since when",
      http: { method: "GET", path: "/api/attestations" },
      input: Type.Object(
        {
          bot_id: Type.Optional(BotIdField),
          unproven: Type.Optional(Type.Boolean({ description: "Only those that are not proven." })),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
        },
        CLOSED,
      ),
      output: StopsAnswer,
      permission: EVERYONE,
      read: async (reader, { bot_id, unproven, limit = 50 }, { store }) => {
        let query = store
          .builder<LadderTables>()
          .selectFrom("stop_ladder")
          .selectAll()
          .orderBy("run_id", "desc")
          .limit(limit);
        if (bot_id !== undefined) query = query.where("bot_id", "=", bot_id);
        if (unproven === true) query = query.where("attested_at", "is", null);
        return ok({ attestations: (await reader.rows<LadderRow>(query)).map(ladderView) });
      },
    }),
    defineQuery({
      name: "attestations.key",
      summary: "The public key that this home's signed records verify under: stops, and proofs of runs",
      http: { method: "GET", path: "/api/attestations/key" },
      input: Type.Object({}, CLOSED),
      output: AttestationKeyAnswer,
      permission: EVERYONE,
      read: () =>
        Promise.resolve(
          attester === undefined
            ? err(failure("RUMI-SYS-011", { what: "key", id: "of attestations" }))
            : ok({ keyid: attester.keyid, public_key: attester.public_pem }),
        ),
    }),
    defineQuery({
      name: "attestations.show",
      summary: "The signed record of one run's stop, with the public key that it verifies under",
      http: { method: "GET", path: "/api/attestations/{run_id}" },
      input: Type.Object({ run_id: CommandIdField }, CLOSED),
      output: SignedStopAnswer,
      permission: EVERYONE,
      read: async (reader, { run_id }, { store }) => {
        const row = await readLadder(reader, store, run_id);
        if (row === undefined) return err(failure("RUMI-SYS-011", { what: "stop of a run", id: run_id }));
        return ok({
          ...ladderView(row),
          envelope: row.envelope === null ? null : jsonOf<Envelope>(row.envelope),
          public_key: attester?.public_pem ?? null,
        });
      },
    }),
  ];
}

export function ladderView(row: LadderRow) {
  return {
    run_id: row.run_id,
    bot_id: row.bot_id,
    strategy_id: row.strategy_id,
    instance_id: row.instance_id,
    epoch: row.epoch,
    mode: row.mode,
    venue: row.venue,
    proven: row.attested_at !== null,
    open_orders: row.open_orders,
    rungs: rungsOf(row).map(({ rung, at }) => ({ rung, at: iso(at) })),
    blocked:
      row.blocked_rung === null
        ? null
        : { rung: row.blocked_rung, why: row.blocked_why, since: iso(row.blocked_since ?? 0) },
    attested_at: row.attested_at === null ? null : iso(row.attested_at),
  };
}

const iso = (at: number): string => isoFromMicros(micros(at));
