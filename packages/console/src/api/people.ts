/** Who one is and may do, who else there is, and wishes for many bots. */
import * as answers from "../answers/people.ts";
import { dryRun } from "../answers/answers.ts";
import { of, type Call, type Wish } from "./call.ts";

export type BulkWord = "abort" | "pause" | "resume" | "retry";

export function peopleCalls({ get, post }: Call) {
  return {
    me: () => get(answers.me, "/api/me"),
    users: () => get(answers.usersPage, "/api/users?limit=200"),
    tokensOf: (user_id: string) => get(answers.tokensAnswer, `/api/users/${of(user_id)}/tokens`),
    createUser: (display_name: string, roles: readonly answers.Role[], { id, reason }: Wish) =>
      post("/api/users", { command_id: id, display_name, roles, reason }),
    setRoles: (user_id: string, roles: readonly answers.Role[], { id, reason }: Wish) =>
      post(`/api/users/${of(user_id)}/roles`, { command_id: id, roles, reason }),
    issueToken: async (user_id: string, label: string, days: number, { id, reason }: Wish) => {
      const path = `/api/users/${of(user_id)}/tokens`;
      const wish = { command_id: id, ...(label === "" ? {} : { label }), valid_for_seconds: days * 86_400, reason };
      return answers.issuedToken(await post(path, wish), path);
    },
    disableUser: (user_id: string, { id, reason }: Wish) =>
      post(`/api/users/${of(user_id)}/disable`, { command_id: id, reason }),
    revokeToken: (token_id: string, { id, reason }: Wish) =>
      post(`/api/tokens/${of(token_id)}/revoke`, { command_id: id, reason }),
    bulks: () => get(answers.bulksAnswer, "/api/bulk"),
    startBulk: (bulk: answers.BulkWish, { id, reason }: Wish) => post("/api/bulk", { command_id: id, ...bulk, reason }),
    tryBulk: async (bulk: answers.BulkWish, { id, reason }: Wish) =>
      dryRun(await post("/api/bulk", { command_id: id, ...bulk, reason, dry_run: true }), "/api/bulk"),
    wordOnBulk: (bulk_id: string, word: BulkWord, { id, reason }: Wish) =>
      post(`/api/bulk/${of(bulk_id)}/${word}`, { command_id: id, reason }),
  };
}
