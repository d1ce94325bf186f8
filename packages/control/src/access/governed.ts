/**
 * Puts every query of the control plane under the rules of access/model.ts, also one that is added later: parts that the
 * reader may not see are taken out of the answer, and that something sensitive was served is durable before it goes out.
 */
import { ok } from "@rumi/kernel";
import type { Declaration, Principal } from "@rumi/operations";
import { auditedClass, mayRead, READ_WINDOW_US, withoutConfiguration } from "./model.ts";
import { isNoted, noteRead, type SensitiveReadRow } from "./tables.ts";

type Query = Extract<Declaration, { readonly kind: "query" }>;

export function governed(declaration: Declaration): Declaration {
  return declaration.kind === "query" ? audited(withheld(declaration)) : declaration;
}

function withheld(query: Query): Query {
  return {
    ...query,
    read: async (reader, input, context) => {
      const found = await query.read(reader, input, context);
      return !found.ok || mayRead(context.principal, "configuration") ? found : ok(withoutConfiguration(found.value));
    },
  };
}

/** Answers of which this stretch's note is in the log already. */
const noted = new WeakSet<object>();

function audited(query: Query): Query {
  const { name } = query;
  const data_class = auditedClass(name);
  if (data_class === undefined || query.leaves !== undefined) return query;
  const stretchOf = (principal: Principal, now: number): SensitiveReadRow => ({
    principal: principal.id,
    query: name,
    stretch: Math.floor(now / READ_WINDOW_US),
  });
  return {
    ...query,
    read: async (reader, input, context) => {
      const found = await query.read(reader, input, context);
      if (found.ok && (await isNoted(reader, context.store, stretchOf(context.principal, context.now))))
        noted.add(found.value as object);
      return found;
    },
    leaves: (data: { readonly count?: number }, { store, now, principal }) =>
      noted.has(data)
        ? { writes: [], events: [] }
        : {
            writes: noteRead(store, stretchOf(principal, now)),
            events: [
              {
                action: "query.sensitive_read",
                resource_type: "query",
                resource_id: name,
                outcome: "SUCCESS",
                details: {
                  query: name,
                  fields: [data_class],
                  ...(data.count === undefined ? {} : { rows: data.count }),
                },
              },
            ],
          },
  };
}
