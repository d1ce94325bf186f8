/** What a bot's lineage answers. */
import { Type } from "@sinclair/typebox";
import { PreflightAnswer } from "../preflight/answers.ts";
import { CountField, InstantField, nullable, OPEN } from "../shared/answers.ts";

const Text = Type.String();
const Approval = Type.Object(
  {
    challenge_id: Text,
    intent_hash: Text,
    confirmed_by: nullable(Text),
    approved_by: nullable(Text),
    approved_at: nullable(InstantField),
  },
  OPEN,
);
const Command = Type.Object(
  {
    command_id: Text,
    actor: nullable(Text),
    reason: nullable(Text),
    event_id: nullable(Text),
    approval: nullable(Approval),
  },
  OPEN,
);
const Run = Type.Object(
  {
    instance_id: Text,
    run_id: Text,
    mode: Text,
    pack_digest: nullable(Text),
    generation: nullable(CountField),
    from_run_id: nullable(Text),
    preflight: nullable(PreflightAnswer),
    command: nullable(Command),
  },
  OPEN,
);
const Version = Type.Object(
  {
    generation: CountField,
    version: Text,
    strategy_id: Text,
    strategy_version: Text,
    pack_id: Text,
    digest: Text,
    created_at: InstantField,
    created_by: Text,
    reason: Text,
    command_id: nullable(Text),
    approval_id: nullable(Text),
    event_id: nullable(Text),
  },
  OPEN,
);
const Provenance = Type.Object(
  {
    run_id: CountField,
    provenance_sha256: Text,
    intact: Type.Boolean({ description: "Whether the store still holds the statement that the approval pinned." }),
    keyid: nullable(Text),
    run: nullable(
      Type.Object(
        {
          repository: Text,
          path: Text,
          base_sha: Text,
          head_sha: Text,
          snapshot_sha: Text,
          tree_sha: Text,
          prompt_hash: Text,
        },
        OPEN,
      ),
    ),
    proof: nullable(Type.Object({ revision: CountField, bundle_sha256: Text, attestation_sha256: Text }, OPEN)),
    checks: Type.Array(Type.Object({ check_key: Text, status: Text }, OPEN)),
    decisions: Type.Array(Type.Object({ path: Text, approved_status: Text, decided_by: Text }, OPEN)),
    built: nullable(Type.Object({ content_digest: Text, built_by: Text, built_at: Text }, OPEN)),
  },
  { ...OPEN, description: "The run that the pack was built from; null where it says nothing of it." },
);
const Pack = Type.Object(
  {
    pack_id: Text,
    digest: Text,
    pack_version: nullable(Text),
    current: Type.Boolean({ description: "Whether these bytes are what is approved now." }),
    approved_by: nullable(Text),
    approved_at: nullable(InstantField),
    event_id: nullable(Text),
    source: nullable(Type.Object({ repository: nullable(Text), commit: nullable(Text) }, OPEN)),
    provenance: nullable(Provenance),
  },
  OPEN,
);
export const LineageAnswer = Type.Object(
  {
    bot_id: Text,
    state: Text,
    mode: nullable(Text),
    version: Text,
    generation: CountField,
    created_by: Text,
    runs: Type.Array(Run),
    versions: Type.Array(Version),
    packs: Type.Array(Pack),
    admission: nullable(Type.Object({ report_id: Text, admitted: Type.Boolean(), created_at: InstantField }, OPEN)),
  },
  OPEN,
);
