/** Where candidates of every kind are written down: one row for each content that a pack brought. */
import { compiledText, type Migrations, type Reader, type Store, type Write } from "@rumi/store";
import { expecting } from "../packs/tables.ts";
import { CANDIDATE_STATES, stateAt, type Candidate, type CandidateState } from "./model.ts";

export const CANDIDATE_KINDS = ["capability", "pip"] as const;
export type CandidateKind = (typeof CANDIDATE_KINDS)[number];

type CandidateRow = {
  kind: string;
  candidate_key: string;
  pack_id: string;
  facts: string;
  state: string;
  rejections: number;
  cooldown_until: number | null;
  note: string | null;
  generation: number;
  updated_at: number;
};
type CandidateTables = { candidate: CandidateRow };
type Sql = Pick<Store, "builder">;

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE candidate (
    kind TEXT NOT NULL CHECK (kind IN ('capability', 'pip')),
    candidate_key TEXT NOT NULL, pack_id TEXT NOT NULL, facts TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'installed', 'rejected', 'blocked', 'failed')),
    rejections ${integer} NOT NULL, cooldown_until ${integer}, note TEXT,
    generation ${integer} NOT NULL, updated_at ${integer} NOT NULL,
    PRIMARY KEY (kind, candidate_key))`,
];

export const CANDIDATE_MIGRATIONS: Migrations = {
  owner: "platform.candidates",
  steps: [{ name: "001-candidates", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

const SELECT_KIND = compiledText<CandidateTables>((db) =>
  db.selectFrom("candidate").selectAll().where("kind", "=", "").orderBy("candidate_key"),
);
const SELECT_ONE = compiledText<CandidateTables>((db) =>
  db.selectFrom("candidate").selectAll().where("kind", "=", "").where("candidate_key", "=", ""),
);

/** All of a kind, by key; `Facts` are what its own code wrote. */
export async function readCandidates<Facts>(
  reader: Reader,
  sql: Sql,
  kind: CandidateKind,
): Promise<readonly Candidate<Facts>[]> {
  const rows = await reader.rows<CandidateRow>({ sql: SELECT_KIND(sql), parameters: [kind] });
  return rows.map((row) => candidateOf<Facts>(row));
}

export async function readCandidate<Facts>(
  reader: Reader,
  sql: Sql,
  kind: CandidateKind,
  candidate_key: string,
): Promise<Candidate<Facts> | undefined> {
  const [row] = await reader.rows<CandidateRow>({ sql: SELECT_ONE(sql), parameters: [kind, candidate_key] });
  return row === undefined ? undefined : candidateOf<Facts>(row);
}

const SELECT_STATES = compiledText<CandidateTables>((db) =>
  db.selectFrom("candidate").select(["state", "cooldown_until"]).where("kind", "=", ""),
);

/** How many of a kind are in each state now: the pending export's counts. */
export async function candidateCounts(
  reader: Reader,
  sql: Sql,
  kind: CandidateKind,
  now: number,
): Promise<Readonly<Record<`${CandidateState}_count`, number>>> {
  const rows = await reader.rows<{ state: CandidateState; cooldown_until: number | null }>({
    sql: SELECT_STATES(sql),
    parameters: [kind],
  });
  const states = rows.map((row) => stateAt(row, now));
  return Object.fromEntries(
    CANDIDATE_STATES.map((state) => [`${state}_count`, states.filter((one) => one === state).length]),
  ) as Record<`${CandidateState}_count`, number>;
}

export function saveCandidate(
  sql: Sql,
  kind: CandidateKind,
  candidate: Candidate,
  before: Candidate | undefined,
  now: number,
): Write {
  const row: CandidateRow = { ...candidate, kind, facts: JSON.stringify(candidate.facts), updated_at: now };
  const db = sql.builder<CandidateTables>();
  return before === undefined
    ? expecting(db.insertInto("candidate").values(row).compile(), 1)
    : expecting(
        db
          .updateTable("candidate")
          .set(row)
          .where("kind", "=", kind)
          .where("candidate_key", "=", candidate.candidate_key)
          .where("generation", "=", before.generation)
          .compile(),
        1,
      );
}

export function removeCandidate(sql: Sql, kind: CandidateKind, candidate: Candidate): Write {
  const db = sql.builder<CandidateTables>();
  return expecting(
    db
      .deleteFrom("candidate")
      .where("kind", "=", kind)
      .where("candidate_key", "=", candidate.candidate_key)
      .where("generation", "=", candidate.generation)
      .compile(),
    1,
  );
}

function candidateOf<Facts>(row: CandidateRow): Candidate<Facts> {
  const { candidate_key, pack_id, rejections, cooldown_until, note, generation } = row;
  const state = row.state as CandidateState;
  const facts = JSON.parse(row.facts) as Facts;
  return { candidate_key, pack_id, facts, state, rejections, cooldown_until, note, generation };
}
