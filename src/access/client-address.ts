import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';

/**
 * Who a request comes from, to count it by. Behind proxies the address stands in X-Forwarded-For, counted from the right by
 * the number of proxies that are ours: what stands further left anybody can write. Of IPv6 the network (/64) counts,
 * since one customer has it whole.
 */
export function clientAddress({ headers, socket }: IncomingMessage, proxies: number): string {
  const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
  const told = proxies > 0 ? forwarded.at(-proxies)?.trim() : undefined;
  const address = told || (socket.remoteAddress ?? '');
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  return isIPv6(plain) ? network(plain) : plain;
}

function network(address: string): string {
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  if (tail !== undefined) {
    const after = tail.split(':').filter(Boolean);
    while (groups.length + after.length < 8) groups.push('0');
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}
