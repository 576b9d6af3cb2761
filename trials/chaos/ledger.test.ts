import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { eventually } from '../../test/harness/until.ts';
import { createWorld, type World } from '../../test/harness/world.ts';
import { createLedger } from './ledger.ts';

let world: World;
afterEach(() => world.close());

test('the ledger distinguishes published, failed and lost emissions', async () => {
  // No API runs jobs: one is removed before the worker starts.
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0', API_CONCURRENCY: '0' } });
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  const ledger = createLedger(world);
  world.keep(ledger, ledger.close);
  const emit = async (notes: string) =>
    world.emit(api, 'appointment-created', await company.appointment({ notes }));
  const [fine, large, lost] = [await emit('fine'), await emit('x'.repeat(300_000)), await emit('lost')];
  for (const emissionId of [fine, large, lost]) ledger.recordAccepted(emissionId);
  await (await world.jobs.get(lost))!.remove();
  world.worker();

  await eventually('every emission to be published, failed or lost', () => ledger.open.size === 0);
  expect(ledger.publishedCount).toBe(1);
  expect([...ledger.failed.keys()]).toEqual([large]);
  expect([...ledger.lost]).toEqual([lost]);
});

test('an emission that is retried after the repair of its appointment counts as published', async () => {
  // No API runs jobs: one is removed before the worker starts.
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0', API_CONCURRENCY: '0' } });
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  const ledger = createLedger(world);
  world.keep(ledger, ledger.close);
  world.worker();
  const ids = await Promise.all(
    Array.from({ length: 5 }, () => company.appointment({ notes: 'x'.repeat(300_000) })),
  );
  for (const id of ids) ledger.recordAccepted(await world.emit(api, 'appointment-created', id));
  await ledger.settled();
  expect(ledger.failed.size).toBe(5);
  for (const id of ids) await company.change(id, { notes: 'repaired' });

  expect(await ledger.retryFailed()).toBe(5);
  await ledger.settled();
  expect([ledger.publishedCount, ledger.failed.size]).toEqual([5, 0]);
});

test('a published emission whose job was removed is found in a rotated log of the workers and not counted as lost', async () => {
  // No API runs jobs: one is removed before the worker starts.
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0', API_CONCURRENCY: '0' } });
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  const emit = async () => world.emit(api, 'appointment-created', await company.appointment());
  const [published, lost] = [await emit(), await emit()];
  await (await world.jobs.get(lost))!.remove();
  await world.workerProcess();
  await (await world.jobIn(published, 'completed')).remove();
  const logs = world.env['LOG_DIR']!;
  renameSync(join(logs, 'combined.log'), join(logs, 'combined.log.1'));
  const ended: string[] = [];
  const ledger = createLedger(world, (emissionId) => ended.push(emissionId));
  world.keep(ledger, ledger.close);
  for (const emissionId of [published, lost]) ledger.recordAccepted(emissionId);

  await eventually('both jobs to be found missing', () => ledger.open.size === 0);
  expect([...ledger.lost]).toEqual([published, lost]);
  await ledger.checkLogForLost();
  expect([...ledger.lost]).toEqual([lost]);
  expect(ledger.publishedCount).toBe(1);
  expect(ended).toEqual([published]);
});
