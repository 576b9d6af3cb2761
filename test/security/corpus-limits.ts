import type { BadFrame, BadRequest } from './corpus.ts';

const LIST = '/api/v1/dashboard/appointments';

const list = (what: string, authorization: string): BadRequest => ({
  what: `a list with ${what}`,
  path: LIST,
  headers: { authorization },
  status: 401,
  code: 'TOKEN_INVALID',
});

/** Other encodings of a valid token: the decoder accepts them, but they must not have their own limit. */
export const LIMIT_REQUESTS: readonly BadRequest[] = [
  list('padding behind its token', 'Bearer :token='),
  list('double padding behind its token', 'Bearer :token=='),
  list('a tab inside its token', 'Bearer \t:token\tx'),
  list('an empty fourth part of its token', 'Bearer :token.'),
  list('an empty part before its token', 'Bearer .:token'),
  list('an exclamation mark behind its token', 'Bearer :token!'),
  list('a comma and a second token', 'Bearer :token,:token'),
];

/** What a client that is let in may not send. */
export const LIMIT_FRAMES: readonly BadFrame[] = [
  { what: 'a second CONNECT', packet: '0{"token":"x"}', then: 'closed' },
  { what: 'a second CONNECT, with the namespace', packet: '0/,{}', then: 'closed' },
  { what: 'a CONNECT whose auth is no JSON', packet: '0{', then: 'closed' },
  { what: 'a binary acknowledgement', packet: '61-1["a"]', then: 'closed' },
  { what: 'an acknowledgement of a huge id', packet: `3${'9'.repeat(400)}[1]`, then: 'ignored' },
  {
    // Its answer is no packet that a client understands.
    what: 'a catch-up with a huge id',
    packet: `2${'9'.repeat(400)}["emissions:catch-up",{"epoch":"a","offset":0}]`,
    then: 'closed',
  },
  { what: 'an event named by a number', packet: '2[7]', then: 'ignored' },
  {
    what: 'a report of NaN',
    packet: '2["emissions:seen",{"emissionId":"a","acceptedAt":NaN}]',
    then: 'closed',
  },
  {
    what: 'a report of an array',
    packet: '2["emissions:seen",[{"emissionId":"a","acceptedAt":["2026-01-01T00:00:00Z"]}]]',
    then: 'ignored',
  },
];
