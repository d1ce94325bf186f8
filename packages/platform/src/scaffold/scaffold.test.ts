/** Every template is a pack as it stands, its Python does what it says, and nothing that is there is touched. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { requires } from "../../../../tools/test-support.ts";
import { dataOf } from "../../test/kit.ts";
import { openPacks, type PackWorld } from "../../test/packs.ts";
import { scaffoldPack } from "./scaffold.ts";
import { PACK_TEMPLATES, type PackTemplate } from "./templates.ts";

let world: PackWorld;
beforeEach(async () => {
  world = await openPacks();
});
afterEach(async () => {
  await world.close();
});

const FILES: Readonly<Record<PackTemplate, readonly string[]>> = {
  minimal: ["ecosystem.json", "run.py"],
  capability: [
    "ecosystem.json",
    "run.py",
    "share/capability_handlers/hello_v1/handler.json",
    "share/capability_handlers/hello_v1/handler.py",
  ],
  flow: ["ecosystem.json", "flows/hello.flow.yaml", "run.py"],
  full: [
    "README.md",
    "ecosystem.json",
    "flows/hello.flow.yaml",
    "routes.json",
    "run.py",
    "share/capability_handlers/hello_v1/handler.json",
    "share/capability_handlers/hello_v1/handler.py",
  ],
};

async function made(template: PackTemplate, pack_id = "my-pack"): Promise<string> {
  const pack = await scaffoldPack(pack_id, template, join(world.folder, "made"));
  if (!pack.ok) throw new Error(pack.error.code);
  return pack.value.folder;
}
const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((child) => child.isFile())
    .map((child) => join(child.parentPath, child.name).slice(folder.length + 1))
    .toSorted();
/** What a function of a Python file returns for these arguments, as the runtime would call it. */
const python = (file: string, call: string): unknown =>
  JSON.parse(
    execFileSync(
      "python3",
      ["-c", `import json,runpy,sys; f=runpy.run_path(sys.argv[1]); print(json.dumps(f${call}))`, file],
      { encoding: "utf8" },
    ),
  );

describe("[R-24.1] a new pack", () => {
  for (const template of PACK_TEMPLATES)
    it(`${template}: holds what the template says, is imported, applied and approved as it stands`, async () => {
      const folder = await made(template);
      expect(filesIn(folder)).toEqual(FILES[template]);
      const { staging_id } = dataOf(await world.command("packs.import", { path: folder }));
      dataOf(await world.command("packs.apply", { staging_id }));
      await world.reconcile();
      const approved = await world.command("packs.approve", {}, { params: { pack_id: "my-pack" } });
      expect(dataOf(approved)).toMatchObject({ status: "approved", permission_diff: { added: [], removed: [] } });
      expect(await world.library.verify("my-pack")).toMatchObject({ ok: true });
    });

  it.runIf(requires("python3"))("its block and its handler say hello", async () => {
    const folder = await made("full");
    const hello = { message: "Hello, Rumi!" };
    expect(python(join(folder, "run.py"), `["run"]({"name": "Rumi"}, {})`)).toEqual(hello);
    expect(python(join(folder, "run.py"), `["run"]({"name": None}, {})`)).toEqual({ message: "Hello, World!" });
    const handlers = join(folder, "share/capability_handlers/hello_v1");
    const { entrypoint } = JSON.parse(readFileSync(join(handlers, "handler.json"), "utf8")) as { entrypoint: string };
    const [file = "", name = ""] = entrypoint.split(":");
    expect(python(join(handlers, file), `["${name}"]({}, {"name": "Rumi"})`)).toEqual(hello);
  });

  it("its route runs its own flow, and the flow's block is a file of the pack", async () => {
    const folder = await made("full");
    const flow = readFileSync(join(folder, "flows/hello.flow.yaml"), "utf8");
    const { routes } = JSON.parse(readFileSync(join(folder, "routes.json"), "utf8")) as {
      routes: readonly { flow_id: string }[];
    };
    expect(/^flow_id: (.*)$/m.exec(flow)?.[1]).toBe(routes[0]?.flow_id);
    expect(existsSync(join(folder, /file: (.*)$/m.exec(flow)?.[1] ?? "none"))).toBe(true);
  });

  it("is refused where its name is none, or where something is there already, which is not touched", async () => {
    const parent = join(world.folder, "made");
    for (const name of ["", "My_Pack", "1pack", "../evil", "a/b", "a b", "x".repeat(65)])
      expect(await scaffoldPack(name, "minimal", parent), name).toMatchObject({
        ok: false,
        error: { code: "RUMI-PACK-001" },
      });
    expect(existsSync(parent)).toBe(false);
    mkdirSync(join(parent, "taken"), { recursive: true });
    expect(await scaffoldPack("taken", "minimal", parent)).toMatchObject({
      ok: false,
      error: { code: "RUMI-VAL-002" },
    });
    writeFileSync(join(parent, "file"), "kept");
    expect((await scaffoldPack("file", "minimal", parent)).ok).toBe(false);
    expect((await scaffoldPack("inside", "minimal", join(parent, "file"))).ok).toBe(false);
    expect(readdirSync(parent).toSorted()).toEqual(["file", "taken"]);
    expect(readdirSync(join(parent, "taken"))).toEqual([]);
  });
});
