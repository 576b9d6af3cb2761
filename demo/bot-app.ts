import express, { type Express, type RequestHandler } from 'express';
import type { ToolHandlers } from '@appointment-emissions/bot';
import type { ChatAppointment, ChatCatalogue, ChatToolReply } from './chat.ts';

export interface BotAppDeps {
  handlers: Pick<ToolHandlers, 'handle'>;
  catalogue: () => Promise<ChatCatalogue>;
  appointments: () => Promise<ChatAppointment[]>;
  /** Origins of the page: no other page may talk to the bot. */
  pageOrigins: readonly string[];
  onFault: (error: unknown) => void;
}

/** The bot's side of the chat. A real one has a model between the words and the tools; here a form stands for it. */
export function createBotApp({
  handlers,
  catalogue,
  appointments,
  pageOrigins,
  onFault,
}: BotAppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(onlyFrom(pageOrigins));
  app.get('/catalogue', async (_req, res) => {
    res.json(await catalogue());
  });
  app.get('/appointments', async (_req, res) => {
    res.json(await appointments());
  });
  // Only application/json is read, which a page of another origin can't send without asking first.
  app.post('/tools/:name', express.json({ limit: '8kb', inflate: false }), async (req, res) => {
    const startedAt = performance.now();
    const { ok, message } = await handlers.handle(req.params.name, req.body);
    const tookMs = Math.round(performance.now() - startedAt);
    res.json({ ok, message, tookMs } satisfies ChatToolReply);
  });
  const onError: express.ErrorRequestHandler = (error: { status?: number }, _req, res, next) => {
    if (res.headersSent) {
      next(error);
      return;
    }
    const status = error.status ?? 503;
    if (status >= 500) onFault(error);
    res.status(status).json({ ok: false, message: 'The bot could not do this just now.' });
  };
  app.use(onError);
  return app;
}

function onlyFrom(pageOrigins: readonly string[]): RequestHandler {
  return (req, res, next) => {
    const { origin } = req.headers;
    if (origin !== undefined && !pageOrigins.includes(origin)) {
      res.status(403).json({ ok: false, message: 'This page may not talk to the bot.' });
      return;
    }
    if (origin !== undefined) res.set({ 'Access-Control-Allow-Origin': origin, Vary: 'Origin' });
    if (req.method !== 'OPTIONS') next();
    else res.set('Access-Control-Allow-Headers', 'Content-Type').status(204).end();
  };
}
