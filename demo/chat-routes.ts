import { Router, type RequestHandler } from 'express';
import type { ChatInfo } from './chat.ts';

/** A tool replies within this time, even if it cannot save. */
const TIMEOUT_MS = 6_000;
const MAX_BODY_BYTES = 8_192;

/** `/demo/chat`: the address of the bot, and a proxy to it for browsers on other machines. */
export function createChatRoutes(botUrl: string): Router {
  const router = Router();
  router.get('/', (_req, res) => {
    res.set('Cache-Control', 'no-store').json({ botUrl } satisfies ChatInfo);
  });
  router.get(['/catalogue', '/appointments'], passOn(botUrl));
  router.post('/tools/:name', passOn(botUrl));
  return router;
}

function passOn(botUrl: string): RequestHandler {
  return async (req, res) => {
    if (Number(req.headers['content-length'] ?? 0) > MAX_BODY_BYTES) {
      res.status(413).json({ ok: false, message: 'The request is too long.' });
      return;
    }
    if (req.method === 'POST' && !req.is('application/json')) {
      res.status(415).json({ ok: false, message: 'The content type must be application/json.' });
      return;
    }
    try {
      const target = new URL(botUrl);
      target.pathname = req.path;
      const reply = await fetch(target, {
        method: req.method,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: { 'content-type': 'application/json' },
        ...(req.method === 'POST' && { body: await textOf(req) }),
      });
      res
        .status(reply.status)
        .type('application/json')
        .send(await reply.text());
    } catch {
      res
        .status(503)
        .json({ ok: false, message: 'The bot is not responding. It may be stopped or restarting.' });
    }
  };
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error('the body is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
