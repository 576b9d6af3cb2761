import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { eventually } from '../harness/until.ts';
import { API_KEY, createWorld, JWT_SECRET, type World } from '../harness/world.ts';

let world: World;
afterEach(() => world.close());

test('the log identifies a key by its fingerprint, and contains no key, token or password', async () => {
  const other = 'other-key-0123456789-0123456789-0123456789';
  world = await createWorld({ env: { LOG_LEVEL: 'trace', INTERNAL_SERVICE_API_KEY: `${API_KEY},${other}` } });
  const api = await world.ready(world.apiProcess());
  const token = await world.token('c'.repeat(24));
  const wrong = 'wrong-key-0123456789-0123456789-0123456789';
  for (const key of [API_KEY, other, wrong])
    await world.post(api, 'appointment-created', {}, { 'x-api-key': key });
  await fetch(`${api.url}/api/v1/dashboard/appointments`, { headers: { authorization: `Bearer ${token}` } });
  await fetch(`${api.url}/admin/api/overview`, {
    headers: { authorization: `Basic ${btoa('admin:guessed-it')}` },
  });

  const dir = world.env['LOG_DIR']!;
  const read = () =>
    readdirSync(dir)
      .map((file) => readFileSync(join(dir, file), 'utf8'))
      .join('');
  const keys = await eventually('both keys to be logged', () => {
    const found = new Set(
      [...read().matchAll(/"key":"([0-9a-f]{8})"/g)].map(([, fingerprint]) => fingerprint),
    );
    return found.size === 2 ? found : undefined;
  });
  expect(keys.size).toBe(2);
  await eventually('the last request to be logged', () => /"status":401[^\n]*"answered"/.test(read()));
  for (const secret of [API_KEY, other, wrong, token, JWT_SECRET, 'guessed-it', btoa('admin:guessed-it')])
    expect(read()).not.toContain(secret);
});
