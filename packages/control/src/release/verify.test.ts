import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { digestOf, isoFromMicros, micros } from "@rumi/kernel";
import { attesterFromPem, type Attester } from "@rumi/ledger";
import { certificateStatement, statusOf, statusStatement, textOf, type CertificateManifest } from "./manifest.ts";
import { verifyCertificate, type VerifyCertificateInput } from "./verify.ts";

const keyOf = (namedCurve: string): Attester =>
  attesterFromPem(
    generateKeyPairSync("ec", { namedCurve }).privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  );
const home = keyOf("P-256");
const NOW = micros(1_900_000_000_000_000);
const at = (seconds: number): string => isoFromMicros(micros(NOW + seconds * 1_000_000));
const DIGEST = digestOf("x");
const MANIFEST: CertificateManifest = {
  schema_version: 1,
  cert_id: "01900000-0000-7000-8000-000000000001",
  environment: "prod",
  bot_id: "bot-a",
  version: "1.0.0",
  issued_at: at(-3_600),
  spec_digest: DIGEST,
  config_hash: DIGEST,
  artifact: { pack_id: "p", strategy_id: "s", strategy_version: "1.0.0", digest: DIGEST },
  supply_chain: { policy_decision: "allow", policy_revision: 1, exception_ref: null, exception_ends_at: null },
  attested_items: {
    preflight_ok_ref: `/api/preflights/1@${DIGEST}`,
    compatibility_ok_ref: `/api/preflights/1#compatibility@${DIGEST}`,
    artifact_digest_verified_ref: `/api/preflights/1#artifact_digest@${DIGEST}`,
    supply_chain_ok_ref: `/api/supply_chain/reports/1@${DIGEST}`,
    runbook_attached_ref: `/api/bots/bot-a#1.0.0/runbook@${DIGEST}`,
    changelog_gate_ok_ref: `/api/bots/bot-a/changelog#1.0.0@${DIGEST}`,
    rollout_plan_ref: null,
    stop_attestation_ref: null,
  },
};
const statusFor = (
  over: Partial<CertificateManifest> = {},
  more: { age?: number; stands?: "in_force" | "waiting" | "stale" | "revoked"; revoked?: boolean; key?: Attester } = {},
) => {
  const manifest = { ...MANIFEST, ...over };
  const { age = 60, stands = "in_force", revoked = false, key = home } = more;
  const revoked_at = revoked ? NOW - 1 : null;
  const of = { cert_id: manifest.cert_id, manifest_hash: digestOf(textOf(manifest)), revoked_at } as const;
  const row = { ...of, status: revoked ? "revoked" : "issued" } as const;
  const why = stands === "stale" ? ["its specification is another one"] : [];
  return key.sign(statusStatement(statusOf(row, { environment: "prod", stands, why }, NOW - age * 1_000_000)));
};
const check = (over: Partial<VerifyCertificateInput> = {}) => {
  const found = verifyCertificate({
    envelope: home.sign(certificateStatement(MANIFEST)),
    public_pem: home.public_pem,
    status: statusFor(),
    now: NOW,
    max_age_seconds: 600,
    expected: {},
    ...over,
  });
  const bad = found.facts.find(({ state }) => state !== "proven");
  return [found.verdict, bad?.fact, bad?.note] as const;
};
const signed = (over: Partial<CertificateManifest>, key = home) => ({
  envelope: key.sign(certificateStatement({ ...MANIFEST, ...over })),
  status: statusFor(over),
});

describe("[L-50.1] [L-N15] a certificate, offline", () => {
  it("is valid by the home's key, what it is of, and a fresh status", () => {
    expect(check()[0]).toBe("valid");
    expect(check({ expected: { bot_id: "bot-a", version: "1.0.0", artifact_id: DIGEST } })[0]).toBe("valid");
    expect(check({ status: statusFor({}, { stands: "waiting" }) })[0]).toBe("valid");
  });

  it("is invalid under another key, another curve, another byte, or as another statement", () => {
    const other = keyOf("P-256");
    const foreign = keyOf("P-384");
    const statement = certificateStatement(MANIFEST);
    const good = home.sign(statement);
    const forged = statement.replaceAll("bot-a", "bot-b");
    const rows: readonly Partial<VerifyCertificateInput>[] = [
      { public_pem: other.public_pem },
      { envelope: other.sign(statement) },
      { envelope: foreign.sign(statement), public_pem: foreign.public_pem },
      { public_pem: "no key" },
      { envelope: { ...good, payload: Buffer.from(forged).toString("base64") } },
      {
        envelope: home.sign(
          statusStatement(
            statusOf(
              { ...MANIFEST, manifest_hash: DIGEST, status: "issued", revoked_at: null },
              { environment: "prod", stands: "in_force", why: [] },
              NOW,
            ),
          ),
        ),
      },
      { envelope: home.sign("no json") },
      { envelope: home.sign(` ${statement}`) },
      { envelope: undefined },
      { envelope: { ...good, signatures: [] } },
    ];
    for (const [at, row] of rows.entries())
      expect(check(row).slice(0, 2), String(at)).toEqual(["invalid", "signature"]);
    const swapped = JSON.parse(statement) as { subject: { digest: { sha256: string } }[] };
    for (const one of swapped.subject) one.digest.sha256 = "0".repeat(64);
    expect(check({ envelope: home.sign(textOf(swapped)) }).slice(0, 2)).toEqual(["invalid", "subject"]);
  });

  it("is invalid for another bot, version or artifact than is expected, and where an item is missing", () => {
    for (const expected of [{ bot_id: "bot-b" }, { version: "1.0.1" }, { artifact_id: digestOf("y") }])
      expect(check({ expected }).slice(0, 2)).toEqual(["invalid", "expected"]);
    const { runbook_attached_ref: _, ...items } = MANIFEST.attested_items;
    const lacking = { ...MANIFEST, attested_items: items } as unknown as CertificateManifest;
    expect(check({ envelope: home.sign(certificateStatement(lacking)) })).toEqual([
      "invalid",
      "form",
      "runbook_attached_ref is missing",
    ]);
    for (const over of [{ schema_version: 2 }, { bot_id: undefined }, { supply_chain: {} }, { artifact: {} }])
      expect(
        check({
          envelope: home.sign(
            textOf({
              ...(JSON.parse(certificateStatement(MANIFEST)) as object),
              predicate: JSON.parse(JSON.stringify({ ...MANIFEST, ...over })) as unknown,
            }),
          ),
        }).slice(0, 2),
      ).toEqual(["invalid", "form"]);
  });

  it("is invalid after its exception's end, and where it is of the future", () => {
    const excepted = (ends: number) =>
      signed({
        supply_chain: {
          policy_decision: "allow_with_exception",
          policy_revision: 1,
          exception_ref: "o-1",
          exception_ends_at: at(ends),
        },
      });
    expect(check(excepted(1))[0]).toBe("valid");
    expect(check(excepted(0)).slice(0, 2)).toEqual(["invalid", "exception"]);
    expect(check(signed({ issued_at: at(301) })).slice(0, 2)).toEqual(["invalid", "time"]);
  });

  it("is incomplete without a status and with one that is too old: a revocation could be newer", () => {
    expect(check({ status: undefined }).slice(0, 2)).toEqual(["incomplete", "status"]);
    expect(check({ status: statusFor({}, { age: 600 }) })[0]).toBe("valid");
    expect(check({ status: statusFor({}, { age: 601 }) })).toEqual([
      "incomplete",
      "status",
      expect.stringContaining("601 s old"),
    ]);
  });

  it("is invalid once revoked, however old the word is; a status of another, by another key or from another time proves nothing", () => {
    const revoked = { stands: "revoked", revoked: true } as const;
    expect(check({ status: statusFor({}, revoked) }).slice(0, 2)).toEqual(["invalid", "revocation"]);
    expect(check({ status: statusFor({}, { ...revoked, age: 3_000 }) }).slice(0, 2)).toEqual(["invalid", "revocation"]);
    for (const status of [
      null,
      {},
      statusFor({}, { key: keyOf("P-256") }),
      statusFor({ bot_id: "bot-b" }),
      statusFor({ cert_id: "01900000-0000-7000-8000-000000000002" }),
      statusFor({}, { age: -301 }),
      statusFor({}, { age: 3_601 }),
      statusFor({}, { stands: "stale" }),
    ])
      expect(check({ status }).slice(0, 2)).toEqual(["invalid", "status"]);
  });
});
