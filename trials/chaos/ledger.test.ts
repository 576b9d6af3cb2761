import { afterEach, expect, test } from '@jest/globals';
import { eventually } from '../../test/harness/until.ts';
import { createWorld, type World } from '../../test/harness/world.ts';
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
  await (await world.jobs.get(lost))!.remove();
  world.worker();

  await eventually('all to have ended', () => ledger.open.size === 0);
  expect(ledger.publishedCount).toBe(1);
  expect([...ledger.failed.keys()]).toEqual([large]);
  expect([...ledger.lost]).toEqual([lost]);
});

test('what the queue let go of once it was published is not lost: the workers’ log knows it', async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  const emit = async () => world.emit(api, 'appointment-created', await company.appointment());
  const [published, lost] = [await emit(), await emit()];
  await (await world.jobs.get(lost))!.remove();
  await world.workerProcess();
  await (await world.jobIn(published, 'completed')).remove();
  const ledger = createLedger(world);
  world.keep(ledger, ledger.close);
  for (const emissionId of [published, lost]) ledger.accepted(emissionId);

  await eventually('both to be looked for', () => ledger.open.size === 0);
  expect([...ledger.lost]).toEqual([published, lost]);
  await ledger.lookUpLost();
  expect([...ledger.lost]).toEqual([lost]);
  expect(ledger.publishedCount).toBe(1);
});
