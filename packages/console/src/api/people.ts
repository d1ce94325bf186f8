/** Who one is and may do, who else there is, and wishes for many bots. */
import * as answers from "../answers/people.ts";
import { of, type Call, type Wish } from "./call.ts";

export type BulkWord = "abort" | "pause" | "resume" | "retry";

export function peopleCalls({ get, post }: Call) {
  return {
    me: () => get(answers.me, "/api/me"),
    users: () => get(answers.usersPage, "/api/users?limit=200"),
    tokensOf: (user_id: string) => get(answers.tokensAnswer, `/api/users/${of(user_id)}/tokens`),
    disableUser: (user_id: string, { id, reason }: Wish) =>
      post(`/api/users/${of(user_id)}/disable`, { command_id: id, reason }),
    revokeToken: (token_id: string, { id, reason }: Wish) =>
      post(`/api/tokens/${of(token_id)}/revoke`, { command_id: id, reason }),
    bulks: () => get(answers.bulksAnswer, "/api/bulk"),
    wordOnBulk: (bulk_id: string, word: BulkWord, { id, reason }: Wish) =>
      post(`/api/bulk/${of(bulk_id)}/${word}`, { command_id: id, reason }),
  };
}
