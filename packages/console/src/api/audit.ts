/** Searching the audit log, and the proof of one event as it is served. */
import { foundEvents, type AuditSearch } from "../answers/audit.ts";
import { of, type Call } from "./call.ts";

export function auditCalls({ get, document }: Call) {
  return {
    findEvents: (search: AuditSearch, cursor: string | null) =>
      get(
        foundEvents,
        `/api/audit/events?${new URLSearchParams({ ...search, limit: "50", ...(cursor === null ? {} : { cursor }) }).toString()}`,
      ),
    eventProofText: (event_id: string) => document(`/api/audit/proof/${of(event_id)}`),
  };
}
