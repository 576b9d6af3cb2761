import { BASE_PATH } from '../../shared/base-path.ts';
import type { ChatAppointment, ChatCatalogue, ChatInfo, ChatToolReply } from '../../../demo/chat.ts';

/** How a request reached the bot. `direct`: the API was unreachable, so the request went to the bot's own address. */
type Route = 'through the API' | 'direct';

export interface ChatBot {
  catalogue: () => Promise<ChatCatalogue>;
  appointments: () => Promise<ChatAppointment[]>;
  call: (tool: string, args: object) => Promise<{ reply: ChatToolReply; route: Route }>;
}

const TIMEOUT_MS = 8_000;

/** Returns a client of the demo bot; undefined if there is no bot, as outside demo mode. */
export async function findChatBot(): Promise<ChatBot | undefined> {
  const found = await fetch(`${BASE_PATH}/demo/chat`);
  if (!found.ok) return undefined;
  const { botUrl } = (await found.json()) as ChatInfo;

  /** Falls back to the bot's own address, which works in a browser on the same machine. */
  async function request(path: string, init?: RequestInit): Promise<{ body: unknown; route: Route }> {
    try {
      return { body: await fetchJson(`${BASE_PATH}/demo/chat${path}`, init), route: 'through the API' };
    } catch {
      return { body: await fetchJson(`${botUrl}${path}`, init), route: 'direct' };
    }
  }

  return {
    catalogue: async () => (await request('/catalogue')).body as ChatCatalogue,
    appointments: async () => (await request('/appointments')).body as ChatAppointment[],
    async call(tool, args) {
      const headers = { 'content-type': 'application/json' };
      const { body, route } = await request(`/tools/${tool}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(args),
      });
      return { reply: body as ChatToolReply, route };
    },
  };
}

async function fetchJson(url: string, init: RequestInit = {}): Promise<unknown> {
  const reply = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!reply.ok) throw new Error(`${url}: ${reply.status}`);
  return reply.json();
}
