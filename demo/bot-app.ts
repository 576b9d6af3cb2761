import express, { type Express, type RequestHandler } from 'express';
import type { ToolHandlers } from '@appointment-emissions/bot';
import type { ChatAppointment, ChatCatalogue, ChatToolReply } from './chat.ts';

export interface BotAppDeps {
  handlers: Pick<ToolHandlers, 'handle'>;
  catalogue: () => Promise<ChatCatalogue>;
  appointments: () => Promise<ChatAppointment[]>;
  /** Origins of the page. Requests from other origins are rejected. */
  pageOrigins: readonly string[];
  onFault: (error: unknown) => void;
}

/** The HTTP API of the demo bot. A real bot has a language model that calls the tools; in the demo a form replaces the model. */
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
  // Only application/json is parsed. A page of another origin cannot send it without a preflight request.
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
    res
      .status(status)
      .json({ ok: false, message: 'The bot cannot process this request at the moment. Try again.' });
  };
  app.use(onError);
  return app;
}

function onlyFrom(pageOrigins: readonly string[]): RequestHandler {
  return (req, res, next) => {
    const { origin } = req.headers;
    if (origin !== undefined && !pageOrigins.includes(origin)) {
      res.status(403).json({ ok: false, message: 'Requests from this page are not allowed.' });
      return;
    }
    if (origin !== undefined) res.set({ 'Access-Control-Allow-Origin': origin, Vary: 'Origin' });
    if (req.method !== 'OPTIONS') next();
    else res.set('Access-Control-Allow-Headers', 'Content-Type').status(204).end();
  };
}
