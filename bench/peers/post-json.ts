import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';

/** Connections that are idle for longer are closed: the server closes them after 30 s, perhaps as a request is on its way. */
const agent = new Agent({ keepAlive: true, timeout: 10_000 });

/** POSTs JSON and resolves to the reply. With `node:http`: `fetch` takes about a millisecond longer. */
export function postJson(
  url: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...headers,
    };
    request(url, { agent, method: 'POST', headers: sent }, (response) => {
      text(response).then((reply) => {
        resolve({ status: response.statusCode ?? 0, text: reply });
      }, reject);
    })
      .on('error', reject)
      .end(body);
  });
}
