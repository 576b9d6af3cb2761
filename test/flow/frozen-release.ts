import { createRequire } from 'node:module';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Redis } from 'ioredis';
import { Types } from 'mongoose';
import { SOURCE_CONDITION } from '../../scripts/source-args.mjs';
import { ROOT } from '../docs/pages.ts';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import type { World } from '../harness/world.ts';

const { decode } = createRequire(import.meta.resolve('@socket.io/redis-emitter'))('notepack.io') as {
  decode: (message: Buffer) => unknown;
};

/** A Redis key. Bytes are Latin-1 text. Names and values have {@link WORLD} in place of the name of their world. */
interface FrozenKey {
  key: string;
  type: 'string' | 'hash' | 'list' | 'set' | 'zset' | 'stream';
  /** A text, a list of elements, or alternating fields and values. */
  value: string | string[] | [id: string, fields: string[]][];
  /** Whether the key expires. */
  expires: boolean;
}

/** What the processes of a release left behind, in Redis and on the wire. */
export interface FrozenRelease {
  version: string;
  /** Emissions by what happened to them. */
  emissions: Record<'published' | 'updated' | 'idempotent' | 'failed' | 'waiting' | 'inBatch', string>;
  keys: FrozenKey[];
  /** Messages of `published` and of a deletion, as workers publish them. */
  messages: { channel: string; message: string }[];
}

export const COMPANY_ID = '65f0c0ffee65f0c0ffee00aa';
export const APPOINTMENTS = {
  published: '65f0c0ffee65f0c0ffee0001',
  failed: '65f0c0ffee65f0c0ffee0002',
  waiting: '65f0c0ffee65f0c0ffee0003',
  inBatch: '65f0c0ffee65f0c0ffee0004',
};
export const DELETED_ID = '65f0c0ffee65f0c0ffee0005';
export const IDEMPOTENCY_KEY = 'sent-before-the-upgrade';

const WORLD = '<world>';
const HISTORY = '<history>';
export const UPDATED_AT = new Date('2026-11-20T09:00:00.000Z');
/** Expire within seconds, and are no state of an upgrade. */
const LEFT_OUT = /:(?:rate|canary|events|stalled-check|marker)\b|:lock$/;

export const folderOf = (version: string): string => join(ROOT, 'test', 'flow', `release-${version}`);

export function readRelease(version: string): FrozenRelease {
  return JSON.parse(readFileSync(join(folderOf(version), 'state.json'), 'utf8')) as FrozenRelease;
}

/** Writes the documents of the frozen emissions. Their `updatedAt` is that of the frozen publications. */
export async function writeDocuments(world: World): Promise<Company> {
  const company = await world.documents.company(COMPANY_ID);
  for (const id of Object.values(APPOINTMENTS))
    await company.appointment({ _id: new Types.ObjectId(id), updatedAt: UPDATED_AT });
  return company;
}

/**
 * Runs the processes of today's code through all kinds of emissions, and writes what they leave behind, and the libraries, into the
 * release's folder: `FREEZE_RELEASE=0.2.0 npm test -- test/flow/upgrade`.
 */
export async function freezeRelease(world: World, version: string): Promise<void> {
  await writeDocuments(world);
  const name = nameOf(world);
  const api = await world.ready(world.api());
  const messages = await recordMessages(world);
  const worker = world.worker();
  const completed = async (emissionId: string) => {
    await world.jobIn(emissionId, 'completed');
    return emissionId;
  };
  const post = async (path: string, body: object, headers?: Record<string, string>) => {
    const reply = await world.post(api, path, body, headers);
    return (await reply.json()) as { emissionId: string; results: [{ emissionId: string }] };
  };
  const published = await completed(await world.emit(api, 'appointment-created', APPOINTMENTS.published));
  const updated = await completed(await world.emit(api, 'appointment-updated', APPOINTMENTS.published));
  const deletion = { appointmentId: DELETED_ID, companyId: COMPANY_ID };
  await completed((await post('appointment-deleted', deletion)).emissionId);
  const request = { appointmentId: APPOINTMENTS.published };
  const { emissionId } = await post('appointment-updated', request, { 'Idempotency-Key': IDEMPOTENCY_KEY });
  const idempotent = await completed(emissionId);

  await world.queue.pause();
  const failed = await world.emit(api, 'appointment-updated', APPOINTMENTS.failed);
  const restore = await world.documents.giveAway(APPOINTMENTS.failed);
  await world.queue.resume();
  await world.jobIn(failed, 'failed');
  await restore();
  await worker.close();

  const waiting = await world.emit(api, 'appointment-updated', APPOINTMENTS.waiting);
  const batch = { emissions: [{ event: 'appointment:updated', appointmentId: APPOINTMENTS.inBatch }] };
  const inBatch = (await post('batch', batch)).results[0].emissionId;
  await eventually('four messages', () => messages.length === 4);
  // It writes its counts when it ends.
  await api.close();
  const state: FrozenRelease = {
    version,
    emissions: { published, updated, idempotent, failed, waiting, inBatch },
    keys: await readKeys(world.redis as Redis, name),
    messages: messages.map(({ channel, message }) => ({
      channel: channel.replaceAll(name, WORLD),
      message: message.toString('base64'),
    })),
  };
  mkdirSync(folderOf(version), { recursive: true });
  // Stacks of failed jobs have paths of this machine.
  const text = JSON.stringify(state, null, 1).replaceAll(ROOT.replace(/\/$/, ''), '/app');
  writeFileSync(join(folderOf(version), 'state.json'), `${text}\n`);
  await Promise.all(['bot', 'dashboard'].map((library) => bundleLibrary(library, version)));
}

/** One module without our packages as dependencies. */
async function bundleLibrary(library: string, version: string): Promise<void> {
  await build({
    entryPoints: [join(ROOT, 'packages', library, 'src', 'index.ts')],
    outfile: join(folderOf(version), `${library}.mjs`),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    external: ['socket.io-client'],
    conditions: [SOURCE_CONDITION],
    logLevel: 'warning',
  });
}

/** Writes the keys of a release into Redis, as if its processes had run in this world. */
export async function restoreKeys(world: World, { keys }: FrozenRelease): Promise<void> {
  const redis = world.redis as Redis;
  const [, history = ''] = /master_replid:(\w+)/.exec(await redis.info('replication')) ?? [];
  const fill = (text: string): Buffer =>
    Buffer.from(text.replaceAll(WORLD, nameOf(world)).replaceAll(HISTORY, history), 'latin1');
  for (const { key: frozen, type, value, expires } of keys) {
    const key = fill(frozen);
    const elements = (Array.isArray(value) ? value : []) as string[];
    if (type === 'string') await redis.set(key, fill(value as string));
    if (type === 'hash') await redis.hset(key, ...elements.map(fill));
    if (type === 'list') await redis.rpush(key, ...elements.map(fill));
    if (type === 'set') await redis.sadd(key, ...elements.map(fill));
    if (type === 'zset') await redis.zadd(key, ...elements.map(fill));
    if (type === 'stream') {
      for (const [id, fields] of value as [string, string[]][])
        await redis.xadd(key, id, ...fields.map(fill));
    }
    if (expires) await redis.expire(key, 3_600);
  }
}

async function readKeys(redis: Redis, name: string): Promise<FrozenKey[]> {
  const names = (await redis.keys(`*${name}*`)).filter((key) => !LEFT_OUT.test(key)).sort();
  const freeze = (bytes: Buffer): string => bytes.toString('latin1').replaceAll(name, WORLD);
  const keys: FrozenKey[] = [];
  for (const key of names) {
    const type = (await redis.type(key)) as FrozenKey['type'];
    const value = await readValue(redis, key, type, freeze);
    keys.push({ key: key.replaceAll(name, WORLD), type, value, expires: (await redis.pttl(key)) > 0 });
  }
  return keys;
}

async function readValue(
  redis: Redis,
  key: string,
  type: FrozenKey['type'],
  freeze: (bytes: Buffer) => string,
): Promise<FrozenKey['value']> {
  switch (type) {
    case 'string':
      return freeze((await redis.getBuffer(key)) ?? Buffer.alloc(0));
    case 'hash': {
      const fields = await redis.hgetallBuffer(key);
      return Object.entries(fields).flatMap(([field, bytes]) => [
        Buffer.from(field).toString('latin1'),
        field === 'history' ? HISTORY : freeze(bytes),
      ]);
    }
    case 'list':
      return (await redis.lrangeBuffer(key, 0, -1)).map(freeze);
    case 'set':
      return (await redis.smembersBuffer(key)).map(freeze).sort();
    case 'zset': {
      const members = (await redis.zrangeBuffer(key, '0', '-1', 'WITHSCORES')).map(freeze);
      // ZADD takes the score first.
      return members.flatMap((member, index) => (index % 2 === 0 ? [members[index + 1] ?? '', member] : []));
    }
    case 'stream':
      return await redis.xrange(key, '-', '+');
    default:
      return type satisfies never;
  }
}

/** Collects the messages that workers publish for dashboards. */
export async function recordMessages(world: World): Promise<{ channel: string; message: Buffer }[]> {
  const recorded: { channel: string; message: Buffer }[] = [];
  const subscriber = (world.redis as Redis).duplicate();
  world.keep(subscriber, () => {
    subscriber.disconnect();
  });
  subscriber.on('pmessageBuffer', (_pattern: Buffer, channel: Buffer, message: Buffer) => {
    recorded.push({ channel: channel.toString(), message });
  });
  await subscriber.psubscribe(`${nameOf(world)}#/#company:*`);
  return recorded;
}

/** Publishes a frozen message in this world. */
export async function publishMessage(
  world: World,
  { channel, message }: FrozenRelease['messages'][number],
): Promise<void> {
  await world.redis.publish(channel.replaceAll(WORLD, nameOf(world)), Buffer.from(message, 'base64'));
}

const nameOf = ({ env }: World): string => env['SOCKET_ADAPTER_KEY'] ?? '';

/**
 * Where `now` lacks a part of `then`, or has another type there: a process of that release could fail on it. Values may differ, and
 * `now` may have more. Null is compatible with everything.
 */
export function missingParts(then: unknown, now: unknown, path = ''): string[] {
  if (then === null || now === null) return [];
  if (typeof then !== typeof now || Array.isArray(then) !== Array.isArray(now)) return [path];
  if (typeof then !== 'object') return [];
  return Object.entries(then).flatMap(([key, value]) =>
    key in (now as object)
      ? missingParts(value, (now as Record<string, unknown>)[key], `${path}/${key}`)
      : [`${path}/${key}`],
  );
}

export function decodeMessage(message: Buffer): unknown {
  return decode(message);
}

/** The job with this id, as BullMQ stores it. */
export function frozenJob({ keys }: FrozenRelease, emissionId: string): Record<string, string> {
  const { value = [] } = keys.find(({ key }) => key.endsWith(`:${emissionId}`)) ?? {};
  const fields = value as string[];
  return Object.fromEntries(
    fields.flatMap((field, index) => (index % 2 === 0 ? [[field, fields[index + 1] ?? '']] : [])),
  );
}
