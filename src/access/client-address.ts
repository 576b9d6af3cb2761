import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';

/**
 * The address that limits count a request by. Behind proxies it is an entry of X-Forwarded-For: the one at the number of our
 * proxies, from the right. A caller can write anything further left. If that entry is not an address, the connection's own
 * address counts, which a caller cannot vary. Of IPv6 the /64 network counts, since one customer has all of it.
 */
export function clientAddress({ headers, socket }: IncomingMessage, proxies: number): string {
  const entry = proxies > 0 ? forwardedBy(headers).at(-proxies) : undefined;
  return (
    (entry === undefined ? undefined : normalize(entry)) ?? normalize(socket.remoteAddress ?? '') ?? 'unknown'
  );
}

function forwardedBy(headers: IncomingHttpHeaders): string[] {
  return [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
}

/** What Node calls an IPv4 address on a socket that accepts both versions. */
const MAPPED = '::ffff:';

/** Forms that proxies write: `1.2.3.4:5678`, `"[2001:db8::1]:443"`, `fe80::1%eth0`, `::FFFF:1.2.3.4`. */
function normalize(text: string): string | undefined {
  const mapped = text.startsWith(MAPPED) ? text.slice(MAPPED.length) : text;
  if (isIPv4(mapped)) return mapped;
  const bare = text.trim().replace(/^"(.*)"$/, '$1');
  const [, bracketed, withPort] = /^\[([^\]]*)\](?::\d*)?$|^([\d.]+):\d+$/.exec(bare) ?? [];
  const [address = ''] = (bracketed ?? withPort ?? bare).split('%');
  if (isIPv4(address)) return address;
  return isIPv6(address) ? ofIPv6(address) : undefined;
}

function ofIPv6(address: string): string {
  // The URL parser writes each address in one form: lower case, no leading zeros, no dots.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const [before, after] = [head, tail ?? ''].map((part) => part.split(':').filter(Boolean)) as [
    string[],
    string[],
  ];
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  const groups = [...before, ...zeros, ...after];
  const [high = 0, low = 0] = groups.slice(6).map((group) => parseInt(group, 16));
  const isMapped = groups.slice(0, 6).join(':') === '0:0:0:0:0:ffff';
  return isMapped
    ? [high >> 8, high & 255, low >> 8, low & 255].join('.')
    : `${groups.slice(0, 4).join(':')}::/64`;
}
