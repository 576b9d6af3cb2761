import { expect, test } from '@jest/globals';
import { eventually } from '../harness/until.ts';
import { createWorld } from '../harness/world.ts';

test('a second SIGTERM does not shorten the shutdown', async () => {
  const world = await createWorld();
  try {
    const api = await world.apiProcess();
    api.kill('SIGTERM');
    await eventually('the API to drain', async () => {
      const response = await fetch(`${api.url}/readyz`).catch(() => undefined);
      return response === undefined || response.status === 503;
    });
    api.kill('SIGTERM');
    expect(await api.exited).toBe(0);
  } finally {
    await world.close();
  }
});
