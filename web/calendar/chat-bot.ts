import { BASE_PATH } from './base-path.ts';
import type { ChatAppointment, ChatCatalogue, ChatInfo, ChatToolReply } from '../../demo/chat.ts';

/** `direct`: the API did not answer, so the bot was asked at its own address. */
export type Way = 'through the API' | 'direct';

export interface ChatBot {
  catalogue: () => Promise<ChatCatalogue>;
  appointments: () => Promise<ChatAppointment[]>;
  call: (tool: string, args: object) => Promise<{ reply: ChatToolReply; way: Way }>;
}

const TIMEOUT_MS = 8_000;

/** The way to the demo's bot. Undefined where there is none, as outside of demo mode. */
export async function findChatBot(): Promise<ChatBot | undefined> {
  const found = await fetch(`${BASE_PATH}/demo/chat`);
  if (!found.ok) return undefined;
  const { botUrl } = (await found.json()) as ChatInfo;

  /** While the API is away a browser on the bot's own machine still reaches it. */
  async function ask(path: string, init?: RequestInit): Promise<{ body: unknown; way: Way }> {
    try {
      return { body: await askAt(`${BASE_PATH}/demo/chat${path}`, init), way: 'through the API' };
    } catch {
      return { body: await askAt(`${botUrl}${path}`, init), way: 'direct' };
    }
  }

  return {
    catalogue: async () => (await ask('/catalogue')).body as ChatCatalogue,
    appointments: async () => (await ask('/appointments')).body as ChatAppointment[],
    async call(tool, args) {
      const headers = { 'content-type': 'application/json' };
      const { body, way } = await ask(`/tools/${tool}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(args),
      });
      return { reply: body as ChatToolReply, way };
    },
  };
}

async function askAt(url: string, init: RequestInit = {}): Promise<unknown> {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}
