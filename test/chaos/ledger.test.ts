import { afterEach, expect, test } from '@jest/globals';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { createLedger } from './ledger.ts';

let world: World;
afterEach(() => world.close());

test('the checker sees what was published, what failed, and what is lost', async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  const ledger = createLedger(world);
  world.keep(ledger, ledger.close);
  const emit = async (notes: string) =>
    world.emit(api, 'appointment-created', await company.appointment({ notes }));
  const [fine, large, lost] = [await emit('fine'), await emit('x'.repeat(300_000)), await emit('lost')];
  for (const emissionId of [fine, large, lost]) ledger.accepted(emissionId);
  await (await world.queue.getJob(lost))!.remove();
  world.worker();

  await eventually('all to have ended', () => ledger.open.size === 0);
  expect(ledger.publishedCount).toBe(1);
  expect([...ledger.failed.keys()]).toEqual([large]);
  expect([...ledger.lost]).toEqual([lost]);
});
