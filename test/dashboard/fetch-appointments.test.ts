import { afterEach, expect, test } from '@jest/globals';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fetchAppointments } from '@appointment-emissions/dashboard';
import { listAt } from './dashboard-world.ts';

let server: Server;
const requests: IncomingMessage[] = [];
afterEach(() => {
  server.close();
});

async function answering(status: number, body: string) {
  server = createServer((request, reply) => {
    requests.push(request);
    reply.writeHead(status, { connection: 'close' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [from, to] = [new Date('2026-11-23T00:00:00Z'), new Date('2026-11-24T00:00:00Z')];
  return { url, token: 'a-token', from, to };
}

test('the list of a range is requested with the token', async () => {
  const list = listAt('e', 3, { a: 'listed' });
  await expect(fetchAppointments(await answering(200, JSON.stringify(list)))).resolves.toEqual(list);
  const { url, headers } = requests.at(-1)!;
  expect(url).toBe(
    '/api/v1/dashboard/appointments?from=2026-11-23T00%3A00%3A00.000Z&to=2026-11-24T00%3A00%3A00.000Z',
  );
  expect(headers.authorization).toBe('Bearer a-token');
});

test('a rejection has the message and the code of the API’s error', async () => {
  const problem = JSON.stringify({ detail: 'the token has expired', code: 'TOKEN_INVALID' });
  await expect(fetchAppointments(await answering(401, problem))).rejects.toMatchObject({
    message: 'the token has expired',
    status: 401,
    code: 'TOKEN_INVALID',
  });
});

test('an error page of a proxy is reported by its status', async () => {
  await expect(fetchAppointments(await answering(502, '<h1>Bad gateway</h1>'))).rejects.toMatchObject({
    message: 'the list request failed with status 502',
    status: 502,
    code: undefined,
  });
});
