import { isDeepStrictEqual } from 'node:util';
import type { AppointmentSnapshot, EmissionSource } from '@appointment-emissions/contracts';
import type { Received } from '../../test/harness/dashboard.ts';
import type { Company } from '../../test/harness/documents.ts';
import { eventually } from '../../test/harness/until.ts';
import { createWorld, type World, type WorldOptions } from '../../test/harness/world.ts';
import { sourceOf } from '../../src/domain/emission-log.ts';
import { createIndexes } from '../../src/population/indexes.ts';
import { createLoadAppointments } from '../../src/population/load-appointments.ts';
import { captureKeys, streamIsOpen } from '../chaos/capture-owner.ts';
import { startFleet } from '../chaos/fleet.ts';
import { createRandom } from '../chaos/random.ts';
import { type OwnerFaults, startOwnerFaults } from './disturb-owner.ts';
import type { CaptureOptions } from './options.ts';
import { createPlainScreen, type PlainScreen } from './plain-screen.ts';
import { watchLease } from './watch-lease.ts';
import { parseNotes, runWriters, type WriterName, type Writing } from './writers.ts';

/** The URLs of Redis and MongoDB. */
export type Servers = Required<Pick<WorldOptions, 'redisUrl' | 'mongoUri'>>;

export interface CaptureResult {
  options: CaptureOptions;
  writing: Writing;
  faults: OwnerFaults;
  /** Published emissions by writer and source; deletions are listed under `delete`. */
  published: Map<WriterName, Record<EmissionSource, number>>;
  /** Differences between a screen and the database at the end; empty if all are equal. */
  differences: string[];
  /** States that were shown out of order, and emissions that did not arrive. */
  disorder: string[];
  /** Resume tokens that were saved by a worker without the lease. */
  unfenced: string[];
  failedJobs: number;
  unexpectedExits: string[];
  workMs: number;
  /** From the last write and repair until every screen equaled the database, or until the deadline. */
  settleMs: number;
}

const COMPANIES = 2;
const SCREENS_PER_COMPANY = 2;
const SETTLE_MS = 90_000;
const SWEEP_EVERY_MS = '2000';

interface CompanyScreen {
  companyId: string;
  name: string;
  screen: PlainScreen;
}

/**
 * Writers of each kind change appointments, while the worker that reads the change stream is killed and frozen. At the end every
 * screen must equal the database, and no screen may have shown an older state after a newer one.
 */
export async function runCapture(
  servers: Servers,
  options: CaptureOptions,
  print: (line: string) => void,
): Promise<CaptureResult> {
  const world = await createWorld({
    ...servers,
    env: {
      CAPTURE: 'change-stream',
      CAPTURE_GRACE_MS: String(options.graceMs),
      RECONCILE_INTERVAL_MS: options.sweep ? SWEEP_EVERY_MS : '0',
    },
  });
  try {
    return await observe(world, options, print);
  } finally {
    await world.close();
  }
}

async function observe(
  world: World,
  options: CaptureOptions,
  print: (line: string) => void,
): Promise<CaptureResult> {
  await prepareCollection(world);
  const companies = await Promise.all(Array.from({ length: COMPANIES }, () => world.documents.company()));
  const lease = await watchLease(world.env['REDIS_URL']!, captureKeys(world));
  const fleet = await startFleet(world, { workers: 3, gateways: 1 });
  try {
    await streamIsOpen(world);
    const api = fleet.gateways[0]!.balancer!;
    const { screens, received } = await openScreens(world, companies, api);
    const began = Date.now();
    const ownerFaults = startOwnerFaults({
      world,
      fleet,
      lease,
      random: createRandom(options.seed, 'faults'),
      everyMs: options.faultEveryMs,
      onFault: (what) => {
        print(`${((Date.now() - began) / 1_000).toFixed(1)} s: ${what}`);
      },
    });
    const { counts } = ownerFaults;
    const isDisturbed = () => counts.killed > 0 && counts.replaced > 0;
    const writing = await runWriters({ world, companies, api, options, isDisturbed });
    const workMs = Date.now() - began;
    const faults = await ownerFaults.end();
    const repairedAt = Date.now();
    const differences = await settle(world, screens);
    return {
      options,
      writing,
      faults,
      published: countPublished(received()),
      differences,
      disorder: screens.flatMap(({ screen }) => screen.violations()),
      unfenced: lease.violations,
      failedJobs: await world.jobs.count('failed'),
      unexpectedExits: fleet.unexpectedExits,
      workMs,
      settleMs: Date.now() - repairedAt,
    };
  } finally {
    await fleet.close();
    lease.close();
  }
}

/** Indexes, and pre-images: then the company of each deleted appointment is known. */
export async function prepareCollection(world: World): Promise<void> {
  const { collection } = world.documents.models.Appointment;
  await world.models.connection.db!.createCollection(collection.collectionName, {
    changeStreamPreAndPostImages: { enabled: true },
  });
  await createIndexes(world.models);
}

async function openScreens(world: World, companies: readonly Company[], api: { url: string }) {
  const token = (companyId: string) => world.token(companyId, '2h');
  const places = companies.flatMap(({ companyId }) =>
    Array.from({ length: SCREENS_PER_COMPANY }, () => companyId),
  );
  const open = await Promise.all(
    places.map(async (companyId, index) => {
      const dashboard = await world.dashboard(api, companyId, { token: await token(companyId) });
      const name = `screen ${index + 1}`;
      return { companyId, name, dashboard, screen: createPlainScreen(dashboard, name) };
    }),
  );
  return {
    screens: open,
    /** What the first screen of each company received. */
    received: () =>
      open
        .filter((_, index) => index % SCREENS_PER_COMPANY === 0)
        .flatMap(({ dashboard }) => dashboard.received),
  };
}

/** Resolves to the differences that are left after the deadline. */
async function settle(world: World, screens: readonly CompanyScreen[]): Promise<string[]> {
  let differences: string[] = [];
  const stored = await loadAll(world);
  await eventually(
    'every screen to equal the database',
    () => {
      differences = screens.flatMap((one) => compare(one, stored));
      return differences.length === 0;
    },
    SETTLE_MS,
  ).catch(() => undefined);
  return differences;
}

async function loadAll(world: World): Promise<AppointmentSnapshot[]> {
  const documents = await world.documents.models.Appointment.collection
    .find({})
    .project({ _id: 1 })
    .toArray();
  const ids = documents.map(({ _id }) => String(_id));
  return [...(await createLoadAppointments(world.models)(ids)).values()];
}

function compare({ companyId, name, screen }: CompanyScreen, stored: AppointmentSnapshot[]): string[] {
  const rows = screen.rows();
  const own = new Map(stored.filter((one) => one.companyId === companyId).map((one) => [one._id, one]));
  const wrong = [...own.values()]
    .filter((appointment) => !isDeepStrictEqual(rows.get(appointment._id), appointment))
    .map(({ _id, notes }) => {
      const row = rows.get(_id) as AppointmentSnapshot | undefined;
      return `${name} shows ${row?.notes ?? 'nothing'} instead of ${notes ?? ''} (${_id})`;
    });
  const surplus = [...rows.keys()]
    .filter((id) => !own.has(id))
    .map((id) => `${name} shows ${id}, which was deleted`);
  return [...wrong, ...surplus];
}

function countPublished(received: readonly Received[]): CaptureResult['published'] {
  const published: CaptureResult['published'] = new Map();
  for (const { payload, meta } of received) {
    const { appointment } = payload;
    const writer = 'notes' in appointment ? parseNotes(appointment.notes).writer : 'delete';
    const counts = published.get(writer) ?? { call: 0, capture: 0, sweep: 0 };
    counts[sourceOf(meta.emissionId)] += 1;
    published.set(writer, counts);
  }
  return published;
}
