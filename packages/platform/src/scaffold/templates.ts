/**
 * The files of a new pack, by template (guide: pack scaffold). Pure: text in, text out.
 *
 * `minimal` is a manifest and one block; `capability` adds a handler, `flow` a flow over the block; `full` is all of it with
 * a route and a page to read. Every one of them validates, imports and is approved as it stands (scaffold.test.ts).
 */

export const PACK_TEMPLATES = ["minimal", "capability", "flow", "full"] as const;
export type PackTemplate = (typeof PACK_TEMPLATES)[number];

export type TemplateFile = { readonly path: string; readonly text: string };

export function templateFiles(pack_id: string, template: PackTemplate): readonly TemplateFile[] {
  const has = (part: "capability" | "flow"): boolean => template === part || template === "full";
  return [
    manifest(pack_id, [
      "block",
      ...(has("capability") ? ["capability_handler"] : []),
      ...(has("flow") ? ["flow"] : []),
    ]),
    { path: "run.py", text: RUN },
    ...(has("capability") ? handler(pack_id) : []),
    ...(has("flow") ? [flow(pack_id)] : []),
    ...(template === "full" ? [routes(pack_id), readme(pack_id)] : []),
  ];
}

function manifest(pack_id: string, types: readonly string[]): TemplateFile {
  return json("ecosystem.json", {
    pack_id,
    pack_identity: `local:${pack_id}`,
    version: "0.1.0",
    display_name: pack_id,
    description: "Says hello. Replace it by what your pack is for.",
    vocabulary: { types },
  });
}

const RUN = `"""A block: gets its step's input, and what it returns is the step's output."""


def run(input_data, context):
    name = (input_data or {}).get("name") or "World"
    return {"message": f"Hello, {name}!"}
`;

const HANDLER = `"""A capability handler: runs for packs that hold a grant of its permission, once a person trusts these very bytes."""


def execute(context, args):
    name = (args or {}).get("name") or "World"
    return {"message": f"Hello, {name}!"}
`;

function handler(pack_id: string): readonly TemplateFile[] {
  const folder = "share/capability_handlers/hello_v1";
  return [
    json(`${folder}/handler.json`, {
      handler_id: `${plain(pack_id)}_hello_handler`,
      permission_id: `${plain(pack_id)}.hello`,
      entrypoint: "handler.py:execute",
      description: "Says hello.",
      risk: "None: it reads and writes nothing.",
    }),
    { path: `${folder}/handler.py`, text: HANDLER },
  ];
}

const helloFlow = (pack_id: string): string => `${pack_id}.hello`;

function flow(pack_id: string): TemplateFile {
  const text = `# POST /api/flows/${helloFlow(pack_id)}/run {"inputs": {"name": "World"}}
flow_id: ${helloFlow(pack_id)}
inputs:
  name: string
outputs:
  greeting: object
phases:
  - main
steps:
  - id: greet
    phase: main
    type: python_file_call
    owner_pack: ${pack_id}
    file: run.py
    input:
      name: "\${ctx.name}"
    output: greeting
`;
  return { path: "flows/hello.flow.yaml", text };
}

function routes(pack_id: string): TemplateFile {
  return json("routes.json", {
    routes: [{ method: "POST", path: "/hello", flow_id: helloFlow(pack_id), description: "Runs the flow." }],
  });
}

function readme(pack_id: string): TemplateFile {
  const text = `# ${pack_id}

| File | What it is |
|---|---|
| ecosystem.json | the manifest: who the pack is and what it asks for |
| run.py | a block |
| flows/hello.flow.yaml | a flow with one step, the block |
| routes.json | a route of the pack's own that runs the flow |
| share/capability_handlers/hello_v1/ | a capability handler, which wants an approval and a grant of its own |

\`rumi packs check .\` tells whether the folder is a pack. Import, apply and approve it; whatever you change afterwards
disables it until somebody approves it again.
`;
  return { path: "README.md", text };
}

/** Ids of handlers and permissions have no hyphens. */
function plain(pack_id: string): string {
  return pack_id.replaceAll("-", "_");
}

function json(path: string, value: unknown): TemplateFile {
  return { path, text: `${JSON.stringify(value, null, 2)}\n` };
}
