import { findChatBot, type ChatBot } from './chat-bot.ts';
import { createChatForm, type ChatMessage, type ToolCall } from './chat-form.ts';
import { create } from '../shared/elements.ts';

const HINT =
  'This demo bot runs in a separate process. Its bookings reach the calendar through the pipeline. It keeps booking while ' +
  'the API is stopped; the calendar then catches up.';

/**
 * Starts the chat panel: a conversation between a customer and the bot. The panel stays hidden if there is no bot.
 * @param timeZone returns the time zone of the calendar
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
  talk.setAttribute('aria-label', 'Conversation with the bot');
  const form = createChatForm({ catalogue, timeZone, onSend: (message) => void process(message) });
  panel.replaceChildren(create('h2', '', 'MetaBot'), create('p', 'quiet', HINT), talk, form.element);
  panel.hidden = false;
  await offerAppointments(bot, form);

  async function process(message: ChatMessage): Promise<void> {
    if (isBusy || bot === undefined) return;
    isBusy = true;
    form.busy(true);
    say('customer', message.text);
    if ('refusal' in message) say('trouble', message.refusal);
    else await callTool(bot, message);
    await offerAppointments(bot, form);
    isBusy = false;
    form.busy(false);
  }

  async function callTool(bot: ChatBot, { tool, args }: ToolCall): Promise<void> {
    try {
      const { reply, route } = await bot.call(tool, args);
      const detour = route === 'direct' ? ', sent directly: the API is unreachable' : '';
      say(reply.ok ? 'bot' : 'trouble', reply.message, `${tool}, ${reply.tookMs} ms${detour}`);
    } catch {
      say('trouble', 'The bot is not responding. It may be restarting. Try again in a moment.');
    }
  }

  function say(by: 'customer' | 'bot' | 'trouble', text: string, note = ''): void {
    const said = create('li', 'said', text);
    said.dataset['by'] = by;
    if (note) said.append(create('small', 'quiet', note));
    talk.append(said);
    talk.scrollTop = talk.scrollHeight;
  }
}

async function offerAppointments(bot: ChatBot, form: ReturnType<typeof createChatForm>): Promise<void> {
  form.offer(await bot.appointments().catch(() => []));
}
