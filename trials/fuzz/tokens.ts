import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { io } from 'socket.io-client';
import { until } from '../../test/harness/until.ts';
import { API_KEY, JWT_SECRET } from '../../test/harness/world.ts';
import { mutated, mutatedBytes, oddValues, rarely, textOf } from './mutate.ts';
import { type OpenSurface, surfaceOf } from './surface.ts';
import type { Target } from './target.ts';

interface FuzzedToken {
  token: string;
  /** Made with the right secret and algorithm, and changed nowhere afterwards. */
  isSigned: boolean;
  claims: unknown;
}

const base64 = (value: unknown) => Buffer.from(textOf(value)).toString('base64url');

/** Dashboard tokens by HTTP, handshake and renewal; API keys by HTTP and handshake; passwords of operators. */
export const openTokens: OpenSurface = (target) => {
  const attempt = fc.oneof(
    { weight: 4, arbitrary: fc.record({ by: fc.constant('list' as const), token: tokens(target) }) },
    { weight: 2, arbitrary: fc.record({ by: fc.constant('handshake' as const), token: tokens(target) }) },
    { weight: 2, arbitrary: fc.record({ by: fc.constant('renewal' as const), token: tokens(target) }) },
    { weight: 1, arbitrary: fc.record({ by: fc.constant('key' as const), secret: changedSecret(API_KEY) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        by: fc.constant('password' as const),
        secret: changedSecret('admin:admin-password'),
      }),
    },
  );
  return surfaceOf(fc.array(attempt, { minLength: 1, maxLength: 6 }), async (attempts) => {
    for (const one of attempts) {
      if (one.by === 'list') await tryList(target, one.token);
      else if (one.by === 'handshake') await tryHandshake(target, one.token);
      else if (one.by === 'renewal') await tryRenewal(target, one.token);
      else if (one.by === 'key')
        await trySecret(target, one.secret, API_KEY, '/metrics', (key) => ({ 'x-api-key': key }));
      else
        await trySecret(target, one.secret, 'admin:admin-password', '/admin/api/overview', (login) => ({
          authorization: `Basic ${Buffer.from(login, 'latin1').toString('base64')}`,
        }));
    }
  });
};

function tokens({ company }: Target): fc.Arbitrary<FuzzedToken> {
  const seconds = Math.floor(Date.now() / 1_000);
  const valid = {
    companyId: company.companyId,
    exp: seconds + 7_200,
    iat: seconds,
    nbf: seconds,
    sub: 'user',
  };
  const scoped = { ...valid, scope: { staffId: ['a'.repeat(24)], hide: ['notes'] } };
  const times = fc.constantFrom(seconds - 1, seconds, seconds + 10, seconds + 29, 1e12, -1, 0.5, 9e15, 1e308);
  const claims = fc.oneof(
    mutated(valid, 2),
    mutated(scoped, 2),
    fc.tuple(fc.constantFrom('exp', 'nbf', 'iat'), times).map(([name, time]) => ({ ...valid, [name]: time })),
    fc.constant(valid),
  );
  const header = fc.oneof(
    { weight: 6, arbitrary: fc.constant<unknown>({ alg: 'HS256' }) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom('none', 'HS512', 'RS256', 'hs256', 'HS256 ')
        .map((alg): unknown => ({ alg })),
    },
    { weight: 2, arbitrary: mutated({ alg: 'HS256', typ: 'JWT', kid: 'k', crit: ['exp'], b64: false }, 2) },
  );
  const key = fc.oneof(
    { weight: 6, arbitrary: fc.constant(JWT_SECRET) },
    { weight: 1, arbitrary: fc.constantFrom('', 'secret', API_KEY, `${JWT_SECRET} `) },
  );
  const edit = rarely(mutatedBytes(2));
  const signed = fc.record({ header, claims, key, edit }).map((parts): FuzzedToken => {
    const text = `${base64(parts.header)}.${base64(parts.claims)}`;
    const whole = `${text}.${createHmac('sha256', parts.key).update(text).digest('base64url')}`;
    const token = parts.edit?.(Buffer.from(whole)).toString('latin1') ?? whole;
    const { alg } = Object(parts.header) as { alg?: unknown };
    return {
      token,
      claims: parts.claims,
      isSigned: parts.key === JWT_SECRET && token === whole && alg === 'HS256',
    };
  });
  const text = fc
    .oneof(fc.string(), oddValues.map(textOf))
    .map((token) => ({ token, isSigned: false, claims: {} }));
  return fc.oneof({ weight: 12, arbitrary: signed }, { weight: 1, arbitrary: text });
}

/** What of a token may be accepted, by a rule that shares no code with the server. */
function mayBeAccepted({ isSigned, claims }: FuzzedToken): boolean {
  const { companyId, exp, nbf = 0 } = Object(claims) as Record<string, unknown>;
  const seconds = Date.now() / 1_000;
  return (
    isSigned &&
    typeof companyId === 'string' &&
    /^[0-9a-f]{24}$/i.test(companyId) &&
    Number(exp) > seconds - 2 &&
    Number(nbf) <= seconds + 31
  );
}

function judge(target: Target, by: string, tried: FuzzedToken, isAccepted: boolean): void {
  target.count(`${by} ${isAccepted ? 'accepted' : 'refused'}`);
  if (isAccepted && !mayBeAccepted(tried))
    throw new Error(`${by}: a wrong token was accepted: ${tried.token}`);
}

async function tryList(target: Target, tried: FuzzedToken): Promise<void> {
  // A header holds no line ends and nothing beyond latin1.
  const token = tried.token.replace(/[^\x20-\x7e\xa0-\xff]/g, '_');
  const send = () =>
    fetch(`${target.api.url}/api/v1/dashboard/appointments`, {
      headers: { authorization: `Bearer ${token}` },
    });
  let response = await send();
  if (response.status === 503 || response.status === 500) response = await send();
  if (![200, 401, 403, 431].includes(response.status))
    throw new Error(`the list got ${response.status} ${await response.text()}`);
  const text = await response.text();
  judge(target, 'list', tried, response.status === 200);
  if (text.includes(target.other.companyId))
    throw new Error(`the list has data of another company: ${text.slice(0, 500)}`);
}

async function tryHandshake(target: Target, tried: FuzzedToken): Promise<void> {
  const socket = io(target.api.url, {
    forceNew: true,
    reconnection: false,
    transports: ['websocket'],
    auth: { token: tried.token },
  });
  try {
    const answer = new Promise<boolean>((resolve) => {
      socket.once('emissions:position', () => {
        resolve(true);
      });
      for (const end of ['connect_error', 'disconnect'] as const)
        socket.once(end, () => {
          resolve(false);
        });
    });
    judge(target, 'handshake', tried, await until('an answer to the handshake', answer));
  } finally {
    socket.close();
  }
}

/** On a connection of its own: renewals are limited, and a valid token may end before the next execution. */
async function tryRenewal(target: Target, tried: FuzzedToken): Promise<void> {
  const dashboard = await target.world.dashboard(target.api, target.company.companyId, {
    token: await target.world.token(target.company.companyId, '1h', { sub: 'user' }),
  });
  try {
    const reply = (await dashboard.socket
      .timeout(5_000)
      .emitWithAck('emissions:token', { token: tried.token })) as { ok?: boolean; code?: string };
    judge(target, 'renewal', tried, reply.ok === true);
    const { companyId } = Object(tried.claims) as { companyId?: unknown };
    if (reply.ok && String(companyId).toLowerCase() !== target.company.companyId)
      throw new Error('the company of a socket changed');
    if (!reply.ok && !/^[A-Z_]+$/.test(reply.code ?? ''))
      throw new Error(`no code: ${JSON.stringify(reply)}`);
  } finally {
    dashboard.close();
  }
}

const changedSecret = (secret: string) =>
  fc.oneof(
    fc.constant(secret),
    mutatedBytes(2).map((edit) => edit(Buffer.from(secret)).toString('latin1')),
    fc.string(),
  );

async function trySecret(
  { api, count }: Target,
  given: string,
  right: string,
  path: string,
  headersOf: (secret: string) => Record<string, string>,
): Promise<void> {
  // As fetch sends it.
  const secret = given.replace(/[^\x20-\x7e\x80-\xff]/g, '_');
  const { status } = await fetch(`${api.url}${path}`, { headers: headersOf(secret) });
  const isRight = path === '/metrics' ? secret.trim() === right : secret === right;
  count(`${path} ${status}`);
  if ((status === 200) !== isRight || ![200, 401, 403].includes(status))
    throw new Error(`${path} got ${status} with ${JSON.stringify(secret)}`);
}
