import { findChatBot, type ChatBot } from './find-chat-bot.ts';
import { createChatForm, type ChatForm, type ChatMessage } from './chat-form.ts';
import { apologize, confirm, formatTime } from './chat-wording.ts';
import { type Conflict, conflictAt, findFreeSlot } from './free-slot.ts';
import type { ChatAppointment, ChatCatalogue } from '../../../demo/chat.ts';
import { create } from '../../shared/elements.ts';
import { timeOfDay } from '../wording.ts';

const HINT =
  'A demo bot in its own process. It keeps booking while the API is stopped; the calendar catches up.';
/** Other bookings may take the proposed time, and it may pass. */
const REFRESH_MS = 60_000;

/**
 * Starts the chat panel: a conversation between a customer and the bot. Resolves to false, with the panel hidden, if there is no
 * bot.
 */
export async function startChat(panel: HTMLElement): Promise<boolean> {
  const bot = await findChatBot().catch(() => undefined);
  const catalogue = await bot?.catalogue().catch(() => undefined);
  panel.hidden = bot === undefined || catalogue === undefined;
  if (bot === undefined || catalogue === undefined) return false;

  const talk = createTalk();
  const form = createChatForm({
    catalogue,
    onSend: (message) => void converse(message),
    onRefusal(text, reason) {
      talk.say('customer', text);
      talk.say('trouble', reason);
    },
  });
  panel.replaceChildren(
    create('h2', '', 'MetaBot'),
    create('p', 'quiet', `${HINT} Times are the company’s: ${catalogue.timeZone.replaceAll('_', ' ')}.`),
    talk.element,
    form.element,
  );
  const converse = createConversation({ bot, catalogue, form, talk });
  setInterval(() => {
    if (!document.hidden) void offerAppointments(bot, form);
  }, REFRESH_MS);
  void offerAppointments(bot, form);
  return true;
}

interface ConversationDeps {
  bot: ChatBot;
  catalogue: ChatCatalogue;
  form: ChatForm;
  talk: Talk;
}

/** Returns a function that runs a message's tool call and replies in the customer's words. It runs one at a time. */
function createConversation({ bot, catalogue, form, talk }: ConversationDeps) {
  const timeOf = (minute: number) => timeOfDay(new Date(Date.UTC(2000, 0, 1, 0, minute)), 'UTC');
  const openingHours = `${timeOf(catalogue.opensAt)} to ${timeOf(catalogue.closesAt)}`;
  let isBusy = false;

  async function converse(message: ChatMessage): Promise<void> {
    if (isBusy) return;
    isBusy = true;
    form.busy(true);
    talk.say('customer', message.text);
    await reply(message);
    isBusy = false;
    form.busy(false);
  }

  async function reply(message: ChatMessage): Promise<void> {
    const { subject, wish } = message;
    // A language model knows the opening hours, and does not call the tool.
    const isClosed = conflictOf(message, [], catalogue) === 'closed';
    const call = isClosed
      ? undefined
      : await bot.call(message.tool, message.args).catch(() => 'no reply' as const);
    if (call === 'no reply') {
      talk.say('trouble', 'The bot is not responding. It may be restarting. Try again in a moment.');
      return;
    }
    const appointments = (await offerAppointments(bot, form)) ?? [];
    if (call?.reply.ok) {
      talk.say('bot', confirm(message.tool, subject, catalogue.timeZone), { message, call });
    } else {
      const conflict = conflictOf(message, appointments, catalogue);
      const text = apologize(conflict, subject, openingHours);
      const said = talk.say('trouble', text, call && { message, call });
      const notBefore = new Date(Math.max(subject.start?.getTime() ?? 0, Date.now()));
      const free = wish && conflict && findFreeSlot(notBefore, wish, appointments, catalogue);
      if (free) said.append(createOffer(message, free));
    }
    talk.scrollToEnd();
  }

  /** A button that sends the same message with a free time. */
  function createOffer(message: ChatMessage, start: Date): HTMLButtonElement {
    const time = formatTime(start, catalogue.timeZone);
    const button = create('button', 'offer', `Take ${time}`);
    button.type = 'button';
    button.addEventListener('click', () => {
      if (isBusy) return;
      button.remove();
      void converse({
        ...message,
        text: `Then ${time}, please.`,
        subject: { ...message.subject, start },
        args: { ...message.args, start: start.toISOString() },
      });
    });
    return button;
  }

  return converse;
}

/** Returns why the time of a message cannot be booked, as far as is known. */
function conflictOf(
  { wish, subject }: ChatMessage,
  appointments: readonly ChatAppointment[],
  catalogue: ChatCatalogue,
): Conflict | undefined {
  return wish && subject.start && conflictAt(subject.start, wish, appointments, catalogue);
}

type Talk = ReturnType<typeof createTalk>;
interface CalledTool {
  message: ChatMessage;
  call: Awaited<ReturnType<ChatBot['call']>>;
}

/** The conversation so far. */
function createTalk() {
  const element = create('div', 'talk');
  const list = create('ol');
  element.append(list);
  element.setAttribute('role', 'log');
  element.setAttribute('aria-label', 'Conversation with the bot');
  element.tabIndex = 0;
  const scrollToEnd = () => {
    element.scrollTop = element.scrollHeight;
  };
  return {
    element,
    scrollToEnd,
    /** @param called the tool call behind the reply, which is folded away */
    say(by: 'customer' | 'bot' | 'trouble', text: string, called?: CalledTool): HTMLElement {
      const said = create('li', 'said');
      said.dataset['by'] = by;
      said.append(create('p', '', text));
      if (called) said.append(describeCall(called));
      list.append(said);
      scrollToEnd();
      return said;
    },
  };
}

function describeCall({ message: { tool, args }, call: { reply, route } }: CalledTool): HTMLElement {
  const details = create('details');
  const detour = route === 'direct' ? ', sent directly: the API is unreachable' : '';
  details.append(
    create('summary', '', `${tool}, ${reply.tookMs} ms${detour}`),
    create('code', '', `${JSON.stringify(args, null, 1)}\n→ ${reply.message}`),
  );
  return details;
}

/** Resolves to undefined, and offers nothing new, if the appointments cannot be loaded. */
async function offerAppointments(bot: ChatBot, form: ChatForm): Promise<ChatAppointment[] | undefined> {
  const appointments = await bot.appointments().catch(() => undefined);
  if (appointments) form.offer(appointments);
  return appointments;
}
