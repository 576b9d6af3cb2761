import { createHash, createHmac } from 'node:crypto';
import { API_KEY, JWT_SECRET } from '../harness/environment.ts';
import { postJson } from './post-json.ts';

export const SOCKUDO_APP = { id: 'bench', key: API_KEY, secret: JWT_SECRET } as const;

/** Only sockets with a signature can subscribe to a channel whose name begins with `private-`. */
export const channelOf = (companyId: string): string => `private-${companyId}`;

export const sign = (text: string): string =>
  createHmac('sha256', SOCKUDO_APP.secret).update(text).digest('hex');

/** Publishes an event over the HTTP API of Pusher, whose data are a string. @throws if Sockudo does not publish */
export function createSockudoPublish(url: string) {
  const path = `/apps/${SOCKUDO_APP.id}/events`;
  return async (companyId: string, event: string, data: string): Promise<void> => {
    const body = JSON.stringify({ name: event, channel: channelOf(companyId), data });
    const query = [
      `auth_key=${SOCKUDO_APP.key}`,
      `auth_timestamp=${Math.floor(Date.now() / 1_000)}`,
      'auth_version=1.0',
      `body_md5=${createHash('md5').update(body).digest('hex')}`,
    ].join('&');
    const signature = sign(`POST\n${path}\n${query}`);
    const { status, text } = await postJson(`${url}${path}?${query}&auth_signature=${signature}`, body);
    if (status !== 200) throw new Error(`Sockudo did not publish: ${status} ${text}`);
  };
}
