import { findChatBot, type ChatBot, type Way } from './chat-bot.ts';
import { createChatForm, type ToolCall, type Wish } from './chat-form.ts';
import { create } from './elements.ts';

const HINT =
  'A bot in a process of its own. What it books comes to the calendar through the whole pipeline. Stop the API and go ' +
  'on: the bot does too, and the calendar catches up.';

/**
 * Fills the panel with a talk between a customer and the bot. Stays hidden and does nothing where there is no bot.
 * @param timeZone the one that the calendar shows now
 */
export async function startChat(panel: HTMLElement, timeZone: () => string): Promise<void> {
  const bot = await findChatBot().catch(() => undefined);
  const catalogue = await bot?.catalogue().catch(() => undefined);
  if (bot === undefined || catalogue === undefined) {
    panel.hidden = true;
    return;
  }

  let isBusy = false;
  const talk = create('ol', 'talk');
  talk.setAttribute('role', 'log');
  talk.setAttribute('aria-label', 'Talk with the bot');
  const form = createChatForm({ catalogue, timeZone, onWish: (wish) => void fulfil(wish) });
  panel.replaceChildren(create('h2', '', 'MetaBot'), create('p', 'quiet', HINT), talk, form.element);
  panel.hidden = false;
  await offerAppointments(bot, form);

  async function fulfil(wish: Wish): Promise<void> {
    if (isBusy || bot === undefined) return;
    setBusy(true);
    say('customer', wish.words);
    if ('refusal' in wish) say('trouble', wish.refusal);
    else await callTool(bot, wish);
    await offerAppointments(bot, form);
    setBusy(false);
  }

  async function callTool(bot: ChatBot, { tool, args }: ToolCall): Promise<void> {
    try {
      const { reply, way } = await bot.call(tool, args);
      say(reply.ok ? 'bot' : 'trouble', reply.message, detail(tool, reply.tookMs, way));
    } catch {
      say('trouble', 'The bot does not answer. It may be starting again: try once more in a moment.');
    }
  }

  function setBusy(now: boolean): void {
    isBusy = now;
    form.busy(now);
  }

  function say(by: 'customer' | 'bot' | 'trouble', words: string, note = ''): void {
    const said = create('li', 'said', words);
    said.dataset['by'] = by;
    if (note) said.append(create('small', 'quiet', note));
    talk.append(said);
    talk.scrollTop = talk.scrollHeight;
  }
}

function detail(tool: string, tookMs: number, way: Way): string {
  return `${tool}, ${tookMs} ms${way === 'direct' ? ', asked directly: the API is away' : ''}`;
}

async function offerAppointments(bot: ChatBot, form: ReturnType<typeof createChatForm>): Promise<void> {
  form.offer(await bot.appointments().catch(() => []));
}
