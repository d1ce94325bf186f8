/**
 * A next step that names a route, in the words of the command line: `GET /api/packs` is `rumi packs list` here.
 *
 * The server's words serve three doors; somebody at a terminal should be able to type what they read.
 */
import type { CliCommand } from "@rumi/operations";

const ROUTE = /\b(GET|POST|DELETE) (\/api\/[\w/{}.:?=&@-]*[\w}])/g;

/** Routes that no command has stay as they are. */
export function spoken(text: string, commands: readonly CliCommand[]): string {
  return text.replaceAll(ROUTE, (route: string, method: string, target: string) => {
    const [path = "", query] = target.split("?");
    const fitting = commands
      .filter((command) => command.method === method)
      .map((command) => ({ command, values: valuesOf(command.path, path) }))
      .filter(({ values }) => values !== undefined)
      // A route with a name of its own comes before one that takes any name there.
      .toSorted((a, b) => a.command.arguments.length - b.command.arguments.length)[0];
    if (fitting === undefined) return route;
    const { command, values = [] } = fitting;
    const flags = [...new URLSearchParams(query)].flatMap(([name, value]) => [`--${name.replaceAll("_", "-")}`, value]);
    return `'${["rumi", command.noun, command.verb, ...values, ...flags].join(" ")}'`;
  });
}

/** What stands in a path where its form has parameters; undefined when it has another form. */
function valuesOf(form: string, path: string): readonly string[] | undefined {
  const [wanted, given] = [form.split("/"), path.split("/")];
  if (wanted.length !== given.length) return undefined;
  const values: string[] = [];
  for (const [at, part] of wanted.entries()) {
    const here = given[at] ?? "";
    if (part.startsWith("{") && here !== "") values.push(here);
    else if (part !== here) return undefined;
  }
  return values;
}
