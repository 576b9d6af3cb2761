import fc from 'fast-check';
import mongoose, { Types } from 'mongoose';
import { pino } from 'pino';
import { startApi } from '../../src/api/start-api.ts';
import { loadApiConfig, loadWorkerConfig } from '../../src/config.ts';
import type { AppointmentModel } from '../../src/model/appointment-model.ts';
import { DEFAULT_DESCRIPTION } from '../../src/model/default-model.ts';
import { fromMongoose } from '../../src/model/from-mongoose.ts';
import { loadModel } from '../../src/model/load-model.ts';
import { ModelError, parseModel } from '../../src/model/parse-model.ts';
import { API_KEY, type World } from '../../test/harness/world.ts';
import type { LogLine } from '../../test/harness/log-lines.ts';
import { eventually } from '../../test/harness/until.ts';
import { model as backendModel } from '../../test/model/backend-model.ts';
import { defineBackendModels } from '../../test/model/backend-mongoose.ts';
import { writeModule } from '../../test/model/write-model.ts';
import { startWorker } from '../../workers/start-worker.ts';
import { problemOf } from './log-reader.ts';
import { mutated, mutatedBytes, mutatedOneOf, oddValues } from './mutate.ts';
import { type OpenSurface, surfaceOf } from './surface.ts';
import type { Target } from './target.ts';

type Tried = { kind: 'description' | 'mongoose'; given: unknown } | { kind: 'module'; text: string };

const NAMES = [
  '_id',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'id',
  'start',
  'companyId',
  '__v',
  'é',
  '\ud800',
  'a-b',
  '0',
  'then',
  'length',
  'epoch',
  'x'.repeat(100),
];
const COLLECTIONS = [
  'a.b',
  '.a',
  'a.',
  'a..b',
  'x'.repeat(120),
  'x'.repeat(300),
  'é',
  '\ud800',
  '__proto__',
  'system',
  'local',
  'A',
  '0',
  '-',
];

/** Modules that are odd as modules. */
const MODULES = [
  '',
  'throw null;',
  'throw undefined;',
  'throw "text";',
  'throw {};',
  'throw new Error();',
  'export default null;',
  'export default 1;',
  'export default [];',
  'export const model = {};',
  'export default () => ({});',
  'export default Promise.resolve({});',
  'export default class {}',
  'export default { get collection() { throw new Error("x"); } };',
  'export default new Proxy({}, { get() { throw null; } });',
  'export default new Proxy({}, { ownKeys() { throw 1; } });',
  'throw Object.create(null);',
  'throw Symbol("x");',
  'throw { get message() { throw 1; } };',
  'import "./missing.js";',
  'export default {',
  'export default Object.create(null);',
];

/** Descriptions, modules and mongoose options that were valid. With an accepted one an API and a worker must work. */
export const openModels: OpenSurface = (target) => {
  const { Appointment } = defineBackendModels(mongoose.createConnection());
  const named = fc
    .tuple(
      fc.constantFrom('companyField', 'deletedField', 'start', 'status', 'field', 'reference', 'of'),
      fc.constantFrom(...NAMES),
    )
    .map(([role, name]) => withName(role, name));
  const collected = fc
    .tuple(fc.boolean(), fc.constantFrom(...COLLECTIONS))
    .map(([isReference, collection]) =>
      isReference
        ? { ...DEFAULT_DESCRIPTION, references: { petId: { collection, fields: ['name'] } } }
        : { ...DEFAULT_DESCRIPTION, collection },
    );
  const description = fc.oneof(
    { weight: 3, arbitrary: mutatedOneOf([DEFAULT_DESCRIPTION, backendModel], 2) },
    { weight: 3, arbitrary: named },
    { weight: 2, arbitrary: collected },
    { weight: 1, arbitrary: oddValues },
  );
  const text = JSON.stringify(DEFAULT_DESCRIPTION);
  const module = fc.oneof(
    fc.constantFrom(...MODULES),
    mutatedBytes(2).map((edit) => `export default ${edit(Buffer.from(text)).toString()};`),
  );
  const options = {
    populate: [
      'customerId',
      { path: 'petId', select: 'name species' },
      { path: 'serviceItemId', select: { size: 1, price: 1 } },
    ],
    options: { fields: ['notes', 'canceledAt'], status: { canceled: ['canceled'] }, shared: ['petId'] },
  };
  const tried: fc.Arbitrary<Tried> = fc.oneof(
    { weight: 6, arbitrary: description.map((given): Tried => ({ kind: 'description', given })) },
    { weight: 2, arbitrary: module.map((source): Tried => ({ kind: 'module', text: source })) },
    { weight: 2, arbitrary: mutated(options).map((given): Tried => ({ kind: 'mongoose', given })) },
  );
  let runs = 0;
  return surfaceOf(tried, async (one) => {
    const model = await accepted(one, Appointment);
    target.count(`${one.kind} ${model ? 'accepted' : 'refused'}`);
    if (model) await mustWork(target, model, (runs += 1));
  });
};

function withName(role: string, name: string): object {
  const own = (value: unknown) => Object.defineProperty({}, name, { value, enumerable: true });
  if (role === 'companyField' || role === 'deletedField') return { ...DEFAULT_DESCRIPTION, [role]: name };
  if (role === 'start') return { ...DEFAULT_DESCRIPTION, times: { start: name } };
  if (role === 'status') return { ...DEFAULT_DESCRIPTION, status: { field: name, canceled: [name] } };
  if (role === 'field') return { ...DEFAULT_DESCRIPTION, fields: [{ name, type: 'number' }] };
  if (role === 'reference')
    return { ...DEFAULT_DESCRIPTION, references: own({ collection: 'pets', fields: ['name'] }) };
  return {
    ...DEFAULT_DESCRIPTION,
    references: { petId: { collection: 'pets', fields: [name], companyField: name } },
  };
}

/** Resolves to undefined if it is refused. @throws if it is refused by anything but a ModelError with a text */
async function accepted(
  tried: Tried,
  appointment: Parameters<typeof fromMongoose>[0],
): Promise<AppointmentModel | undefined> {
  try {
    if (tried.kind === 'module') return await loadModel(writeModule(tried.text));
    if (tried.kind === 'description') return parseModel(tried.given);
    const { populate, options } = Object(tried.given) as { populate: never; options?: never };
    return parseModel(fromMongoose(appointment, populate, options));
  } catch (error) {
    if (error instanceof ModelError && error.problems.every((problem) => problem !== '')) return undefined;
    throw error;
  }
}

/** Emits and lists an appointment in an API of this process. */
async function mustWork(
  { world, company, count }: Target,
  model: AppointmentModel,
  run: number,
): Promise<void> {
  const problems: string[] = [];
  const onUnhandled = (error: unknown) => void problems.push(`unhandled: ${String(error)}`);
  process.on('unhandledRejection', onUnhandled);
  const write = (line: string) =>
    void problems.push(...problemOf(JSON.parse(line) as LogLine, /^\[InternalSocket\] Failed to emit/));
  const logger = pino({ level: 'info' }, { write });
  const name = `${world.env['SOCKET_ADAPTER_KEY']}m${run}`;
  const env = {
    ...world.env,
    QUEUE_PREFIX: `{${name}}`,
    SOCKET_ADAPTER_KEY: name,
    RECONCILE_INTERVAL_MS: '1000',
  };
  const worker = startWorker({ config: loadWorkerConfig(env), model, logger, tracing: undefined });
  const api = await startApi({
    config: loadApiConfig(env),
    model,
    logger,
    tracing: undefined,
    pageDir: 'dist/page',
  });
  try {
    const appointmentId = await insert(world, model, company.companyId);
    count(await emitOnce(world, api, { appointmentId }, 'updated'));
    await mustAnswer(`${api.url}/openapi.json`);
    await mustAnswer(`${api.url}/asyncapi.json`);
    const authorization = `Bearer ${await world.token(company.companyId)}`;
    const list = await mustAnswer(`${api.url}/api/v1/dashboard/appointments`, { authorization });
    if (!list.includes(appointmentId)) throw new Error(`the list lacks the appointment: ${list}`);
    await emitOnce(world, api, { appointmentId, companyId: company.companyId }, 'deleted');
    if (problems.length > 0) throw new Error(problems.join('\n'));
  } finally {
    await Promise.all([api.close(), worker.close()]);
    process.off('unhandledRejection', onUnhandled);
  }
}

async function insert({ documents }: World, model: AppointmentModel, companyId: string): Promise<string> {
  const now = new Date();
  const { times, references, statusField, companyField, collection } = model;
  const fields = [
    ...Object.values(times).map((name) => [name, now]),
    ...references.map(({ field }) => [field, new Types.ObjectId()]),
    [statusField, 'canceled'],
    [companyField, new Types.ObjectId(companyId)],
    ['_id', new Types.ObjectId()],
  ] as [string, unknown][];
  const { insertedId } = await documents.models.Appointment.db
    .collection(collection)
    .insertOne(Object.fromEntries(fields));
  return String(insertedId);
}

async function emitOnce(world: World, api: { url: string }, body: object, word: string): Promise<string> {
  const answer = await eventually('the emission to be answered', async () => {
    const response = await world.post(api, `appointment-${word}`, body);
    if (response.status >= 500) throw new Error(`${response.status} ${await response.text()}`);
    return response;
  });
  const { emissionId, code } = (await answer.json()) as { emissionId?: string; code?: string };
  if (emissionId === undefined) return `${answer.status} ${code}`;
  return eventually('the emission to end', async () => {
    const headers = { 'x-api-key': API_KEY };
    const reply = await fetch(`${api.url}/api/v1/internal/socket/emissions/${emissionId}`, { headers });
    const timeline = await reply.text();
    if (/"state":"failed"/.test(timeline)) throw new Error(timeline);
    return /"state":"completed"|"published"/.test(timeline) ? 'emitted' : '';
  });
}

/** A slow server may be answered 500 or 503. */
async function mustAnswer(url: string, headers: Record<string, string> = {}): Promise<string> {
  return eventually(`${url} to be answered`, async () => {
    const response = await fetch(url, { headers });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${response.status} ${text}`);
    return text;
  });
}
