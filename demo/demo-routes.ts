import { Router, type RequestHandler } from 'express';
import { SignJWT } from 'jose';
import type { Scope } from '@appointment-emissions/contracts';
import { DEMO_COMPANY, demoId, STAFF } from './catalogue.ts';
import type { ChatInfo } from './chat.ts';

interface DemoRoutesDeps {
  jwtSecret: string;
  issuer?: string | undefined;
  audience?: string | undefined;
  timeZone: string;
  /** Address of the demo bot. Without it there is no chat panel. */
  botUrl?: string | undefined;
}

const TOKEN_LIFETIME = '15m';
/** A tool replies within this time, even if it cannot save. */
const BOT_TIMEOUT_MS = 6_000;
const MAX_BODY_BYTES = 8_192;

/** Reply of `POST /demo/token`. */
export interface DemoToken {
  token: string;
  companyId: string;
  companyName: string;
  timeZone: string;
  /** The staff members whose view can be requested with `?as=<id>`. */
  staff: { id: string; fullName: string }[];
}

const DEMO_STAFF = STAFF.map(({ fullName }, n) => ({ id: demoId(`staff/${n}`), fullName }));

/** A groomer sees the own appointments, without e-mail and phone of the customers. */
function scopeOfGroomer(staffId: string): Scope {
  return { staffId, hide: ['customerId.email', 'customerId.phone'] };
}

/**
 * The routes under `/demo`. `POST /demo/token` signs a token for the demo company, without a login: the manager's, or with
 * `?as=<staff id>` the groomer's of that id.
 */
export function createDemoRouter({ jwtSecret, issuer, audience, timeZone, botUrl }: DemoRoutesDeps): Router {
  const router = Router();
  if (botUrl !== undefined) router.use('/chat', createChatRoutes(botUrl));
  const key = new TextEncoder().encode(jwtSecret);
  router.post('/token', async (req, res) => {
    const { as } = req.query;
    const groomer = DEMO_STAFF.find(({ id }) => id === as);
    if (as !== undefined && !groomer) {
      res.status(404).json({ message: 'There is no staff member with this id.' });
      return;
    }
    const claims = new SignJWT({
      companyId: DEMO_COMPANY.id,
      sub: groomer?.id ?? 'manager',
      ...(groomer && { scope: scopeOfGroomer(groomer.id) }),
    })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt()
      .setExpirationTime(TOKEN_LIFETIME);
    if (issuer !== undefined) claims.setIssuer(issuer);
    if (audience !== undefined) claims.setAudience(audience);
    res.set('Cache-Control', 'no-store').json({
      token: await claims.sign(key),
      companyId: DEMO_COMPANY.id,
      companyName: DEMO_COMPANY.name,
      timeZone,
      staff: DEMO_STAFF,
    } satisfies DemoToken);
  });
  return router;
}

/** `/demo/chat`: the address of the bot, and a proxy to it for browsers on other machines. */
function createChatRoutes(botUrl: string): Router {
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
        signal: AbortSignal.timeout(BOT_TIMEOUT_MS),
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
