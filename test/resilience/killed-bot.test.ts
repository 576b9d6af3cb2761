import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Company } from '../harness/documents.ts';
import { until, eventually } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { announceChange } from './bot.ts';
import { allEqualList, openScreen } from './screens.ts';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import { childEnv } from '../harness/child-env.ts';

const INTERVAL_MS = 500;
/** `GRACE_MS` of the sweep. */
const GRACE_MS = 5_000;
/** Allowance for a busy machine. */
const SLACK_MS = 4_000;

let world: World;
/** The same without a sweep. */
let unswept: World;
beforeAll(async () => {
  [world, unswept] = await Promise.all([
    createWorld({ env: { RECONCILE_INTERVAL_MS: String(INTERVAL_MS) } }),
    createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } }),
  ]);
});
afterAll(async () => {
  await Promise.all([world.close(), unswept.close()]);
});

test('a bot is killed between save and call: the sweep emits its booking within interval and grace, once', async () => {
  const [api] = await Promise.all([world.apiProcess(), world.workerProcess()]);
  const other = await unswept.api();
  unswept.worker();
  const [company, theirs] = await Promise.all([world.documents.company(), unswept.documents.company()]);
  const [screen, without] = await Promise.all([
    openScreen(world, api.url, company.companyId),
    openScreen(unswept, other.url, theirs.companyId),
  ]);
  await Promise.all([screen.becomes('live'), without.becomes('live')]);

  const [booked, lost] = await Promise.all([
    bookAndDie(world, api.url, company),
    bookAndDie(unswept, other.url, theirs),
  ]);
  const savedAt = Date.now();
  await eventually('the booking to be on the screen', () => screen.shownEvents.length > 0);
  expect(Date.now() - savedAt).toBeLessThan(GRACE_MS + INTERVAL_MS + SLACK_MS);
  expect(screen.shownEvents).toEqual([`appointment:created ${booked}`]);

  // The sweep finds the next write, and emits nothing twice.
  const before = new Date(Date.now() - GRACE_MS - 1_000);
  const next = await company.appointment({ createdAt: before, updatedAt: before });
  await eventually('the next one to be on the screen', () => screen.shownEvents.length > 1);
  expect(screen.shownEvents).toEqual([`appointment:created ${booked}`, `appointment:created ${next}`]);
  await allEqualList(world, api, [screen]);

  // Negative control: without the sweep the booking does not appear, although other emissions do.
  const marker = await theirs.appointment();
  await announceChange(unswept, other, theirs, marker, 'announced');
  await eventually('the marker', () => without.notes(marker) === 'announced');
  expect(without.shownEvents).toEqual([`appointment:updated ${marker}`]);
  await expect(allEqualList(unswept, other, [without], 100)).rejects.toThrow(`${lost} shows nothing`);
});

/** Runs a bot in a separate process and kills it when it has saved; resolves to the appointment. */
async function bookAndDie(where: World, backendUrl: string, company: Company): Promise<string> {
  const { customer, pet, service, staff } = company;
  const hour = 3_600_000;
  const request = {
    customerId: customer._id,
    petId: pet._id,
    serviceId: service._id,
    staffId: staff._id,
    start: new Date((Math.floor(Date.now() / hour) + 2) * hour).toISOString(),
    durationMinutes: 60,
  };
  const bot = spawn(
    process.execPath,
    [...SOURCE_ARGS, fileURLToPath(new URL('./fixtures/dying-bot.ts', import.meta.url))],
    {
      env: childEnv({
        MONGODB_URI: where.env['MONGODB_URI'],
        LOG_DIR: where.env['LOG_DIR'],
        BACKEND_API_URL: backendUrl,
        INTERNAL_SERVICE_API_KEY: API_KEY,
        COMPANY_ID: company.companyId,
        ARGUMENTS: JSON.stringify(request),
      }),
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  where.keep(bot, () => bot.kill('SIGKILL'));
  const [line] = (await until(
    'the bot to save',
    once(createInterface({ input: bot.stdout }), 'line'),
    30_000,
  )) as [string];
  bot.kill('SIGKILL');
  await once(bot, 'exit');
  return line.replace('saved ', '');
}
