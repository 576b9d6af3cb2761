import type { BadRequest } from './corpus.ts';

/** A change that another site's page could request, with the operator's credentials. Nothing of it may be done. */
const foreign = (what: string, headers: Record<string, string | string[]>): BadRequest => ({
  what: `a repair ${what}`,
  method: 'POST',
  path: '/admin/api/retry-failed',
  headers: { authorization: ':admin', 'content-type': 'application/json', ...headers },
  body: '{"dryRun":true}',
  status: 403,
  code: 'CROSS_ORIGIN',
});

const HOST = 'calendar.example.com';

/** Origins that are not the page's own, served from {@link HOST}. */
const ORIGINS: [what: string, origin: string][] = [
  ['another site', 'https://evil.example'],
  ['a subdomain', `https://a.${HOST}`],
  ['the parent domain', 'https://example.com'],
  ['a name that begins alike', `https://${HOST}.evil.example`],
  ['a name that ends alike', `https://evil${HOST}`],
  ['another port', `https://${HOST}:8443`],
  ['port 0', `https://${HOST}:0`],
  ['a port out of range', `https://${HOST}:65536`],
  ['null', 'null'],
  ['no scheme', HOST],
  ['a file', `file://${HOST}`],
  ['an extension', `chrome-extension://${HOST}`],
  ['WebSocket', `wss://${HOST}`],
  ['data', 'data:text/html,x'],
  ['credentials in front of another host', `https://${HOST}@evil.example`],
  ['a backslash', `https://evil.example\\${HOST}`],
  ['a fragment of another host', `https://evil.example#${HOST}`],
  ['two origins', `https://evil.example https://${HOST}`],
  ['two origins with a comma', `https://${HOST}, https://evil.example`],
  ['a wildcard', '*'],
  ['two dots at the end', `https://${HOST}..`],
  ['a percent-encoded other name', 'https://%65vil.example'],
  ['an address as one number', 'http://2130706433'],
  ['an unclosed IPv6 address', 'http://[::1'],
];

/** Hosts that the page of `https://calendar.example.com` was not served from. */
const HOSTS: [what: string, host: string][] = [
  ['another host', 'evil.example'],
  ['another port', `${HOST}:8443`],
  ['a name that ends alike', `evil${HOST}`],
  ['credentials', `x@${HOST}:y`],
  ['two hosts', `${HOST},evil.example`],
  ['an address', '127.0.0.1'],
];

/** Headers that a caller can write must not replace the Host. */
const FORWARDED: [what: string, headers: Record<string, string>][] = [
  ['X-Forwarded-Host', { 'x-forwarded-host': 'evil.example' }],
  ['X-Forwarded-Host twice', { 'x-forwarded-host': `${HOST}, evil.example` }],
  ['X-Forwarded-Proto', { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }],
  ['X-Forwarded-Port', { 'x-forwarded-host': 'evil.example', 'x-forwarded-port': '443' }],
  ['Forwarded', { forwarded: 'host=evil.example;proto=https' }],
  ['X-Original-Host', { 'x-original-host': 'evil.example' }],
  ['X-Host', { 'x-host': 'evil.example' }],
];

export const ADDRESS_REQUESTS: readonly BadRequest[] = [
  ...ORIGINS.map(([what, origin]) => foreign(`from the origin: ${what}`, { origin, host: HOST })),
  ...HOSTS.map(([what, host]) => foreign(`from our page, to ${what}`, { origin: `https://${HOST}`, host })),
  ...FORWARDED.map(([what, headers]) =>
    foreign(`from another site that names its host in ${what}`, {
      ...headers,
      origin: 'https://evil.example',
      host: HOST,
    }),
  ),
  ...['cross-site', 'same-site', 'SAME-ORIGIN', ''].map((site) =>
    foreign(`with Sec-Fetch-Site ${site || 'empty'}`, {
      'sec-fetch-site': site,
      origin: `https://${HOST}`,
      host: HOST,
    }),
  ),
];

/**
 * X-Forwarded-For behind one proxy of ours, which added `203.0.113.7`: whatever stands left of it, the caller is counted
 * by that address.
 */
export const FORWARDED_FOR: readonly [what: string, header: string][] = [
  ['nothing', '203.0.113.7'],
  ['another address', '192.0.2.1, 203.0.113.7'],
  ['no space', '192.0.2.1,203.0.113.7'],
  ['tabs', '192.0.2.1\t,\t203.0.113.7\t'],
  ['empty entries', ',,, ,203.0.113.7'],
  ['loopback', '127.0.0.1, ::1, 203.0.113.7'],
  ['a quoted comma', '"192.0.2.1, 203.0.113.9", 203.0.113.7'],
  ['a thousand addresses', `${'192.0.2.1, '.repeat(1_000)}203.0.113.7`],
  ['a huge entry', `${'9'.repeat(4_000)}, 203.0.113.7`],
  ['words', 'unknown, _hidden, localhost, 203.0.113.7'],
  ['half an IPv6 address', '[::1, 203.0.113.7'],
  ['__proto__', '__proto__, constructor, 203.0.113.7'],
  ['a port behind', '192.0.2.1, 203.0.113.7:443'],
  ['a mapped address', '192.0.2.1, ::ffff:203.0.113.7'],
  ['a mapped address in hexadecimal', '192.0.2.1, ::ffff:cb00:7107'],
  ['a mapped address in brackets with a port', '192.0.2.1, [::FFFF:203.0.113.7]:80'],
];
