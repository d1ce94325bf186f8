/** Asking a bot to change its state, from the state that was just seen. */
import { newCommandId, type ApiClient } from "./client.ts";

export type BotView = {
  readonly bot_id: string;
  readonly state: string;
  readonly status: { readonly reason: string; readonly run_id: string | null };
  readonly instances: readonly { readonly cursor: number }[];
};

export async function showBot(client: ApiClient, bot_id: string): Promise<BotView | undefined> {
  const found = await client.data<BotView>({ method: "GET", path: `/api/bots/${bot_id}` });
  return found.ok ? found.value : undefined;
}

export function sendTransition(
  client: ApiClient,
  bot: BotView,
  to: string,
  reason: string,
): ReturnType<ApiClient["request"]> {
  return client.request({
    method: "POST",
    path: "/api/commands",
    body: {
      command_id: newCommandId(),
      target: { bot_id: bot.bot_id },
      requested_transition: { from: bot.state, to },
      reason,
      trace_id: newCommandId(),
      run_id: newCommandId(),
      schema_version: 1,
    },
  });
}
