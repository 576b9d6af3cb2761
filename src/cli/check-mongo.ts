import type { Connection } from 'mongoose';
import type { WorkerConfig } from '../config.ts';
import { NoChangeStreams } from '../domain/changes.ts';
import { errorMessage } from '../errors.ts';
import type { AppointmentModel } from '../model/appointment-model.ts';
import { createCheckReferences, type ReferenceCheck } from '../population/check-references.ts';
import { compareIndexes } from '../population/indexes.ts';
import { createModels, type Models } from '../population/models.ts';
import { createOpenChanges } from '../population/open-changes.ts';
import { within } from '../process/lifecycle.ts';
import { failure, type Finding, ok, warning } from './findings.ts';

const OPEN_STREAM_WITHIN_MS = 5_000;
const CHECK_NAMES = 'check the database in MONGODB_URI, and EMISSIONS_MODEL';

/** Checks a connected MongoDB, its data against the model, its indexes, and what capture needs. */
export async function checkMongo(
  connection: Connection,
  model: AppointmentModel,
  config: WorkerConfig,
): Promise<Finding[]> {
  const models = createModels(connection, model);
  return [
    ...(await checkServer(connection)),
    ...(await checkData(models)),
    ...(await checkIndexes(models)),
    ...(config.CAPTURE === 'off' ? [] : [await checkCapture(models, config)]),
  ];
}

async function checkServer({ db }: Connection): Promise<Finding[]> {
  const run = async (command: object) => db?.command(command).catch(() => undefined);
  const [hello, build] = await Promise.all([run({ hello: 1 }), run({ buildInfo: 1 })]);
  const findings = [ok(`MongoDB ${String(build?.['version'] ?? 'of unknown version')}`)];
  if (hello?.['isWritablePrimary'] === false)
    findings.push(
      failure(
        'this MongoDB server is not the primary',
        'name all members in MONGODB_URI, with the option replicaSet',
      ),
    );
  if (hello?.['setName'] === undefined && hello?.['msg'] !== 'isdbgrid')
    findings.push(
      warning(
        'MongoDB is no replica set: it has no change streams, and a crash can lose acknowledged writes',
        'start mongod with --replSet, and run rs.initiate()',
      ),
    );
  return findings;
}

/** Reads the newest appointments and their references, as the worker does. */
async function checkData(models: Models): Promise<Finding[]> {
  const { collection } = models.model;
  try {
    if ((await models.appointments().findOne({}, { projection: { _id: 1 } })) === null)
      return [warning(`the collection ${collection} does not exist or is empty`, CHECK_NAMES)];
    const checks = await createCheckReferences(models)();
    const broken = checks.filter(({ referring, unresolved }) => referring > 0 && unresolved === referring);
    return broken.length > 0
      ? broken.map(describeBroken)
      : [ok(`model: ${collection} and the documents that it refers to can be read`)];
  } catch (error) {
    return [failure(`${collection} cannot be read: ${errorMessage(error)}`, adviseRead(error))];
  }
}

function describeBroken({ field, collection, isEmpty, referring }: ReferenceCheck): Finding {
  const why = isEmpty
    ? `the collection ${collection} does not exist or is empty`
    : `${collection} has none of the ${referring} documents of this company that the newest appointments name`;
  return warning(`${field} never resolves: ${why}`, CHECK_NAMES);
}

async function checkIndexes(models: Models): Promise<Finding[]> {
  const { collection } = models.model;
  try {
    const { missing, unusable } = await compareIndexes(models);
    if (missing.length + unusable.length === 0) return [ok('indexes of the list route and the sweep')];
    return [
      ...missing.map((key) =>
        failure(`${collection} has no index on ${JSON.stringify(key)}`, 'run npm run db:indexes'),
      ),
      ...unusable.map((words) => failure(words, 'then run npm run db:indexes')),
    ];
  } catch (error) {
    return [
      failure(`the indexes of ${collection} cannot be read: ${errorMessage(error)}`, adviseRead(error)),
    ];
  }
}

const UNAUTHORIZED = 13;

function adviseRead(error: unknown): string {
  return (error as { code?: unknown }).code === UNAUTHORIZED
    ? 'give the user in MONGODB_URI the role read on the database'
    : 'MongoDB is slow or not available: try again';
}

/** Opens the change stream that capture reads. */
async function checkCapture(models: Models, config: WorkerConfig): Promise<Finding> {
  const changes = createOpenChanges(models, { withReferences: config.CAPTURE_REFERENCES })(undefined);
  const reading = changes.next();
  reading.catch(() => undefined);
  try {
    await within(OPEN_STREAM_WITHIN_MS, 'the change stream', Promise.race([changes.opened, reading]));
    return ok('capture: the change stream opens');
  } catch (error) {
    const advice =
      error instanceof NoChangeStreams
        ? 'start mongod with --replSet, or set CAPTURE=off'
        : 'give the user in MONGODB_URI the right to change streams, or set CAPTURE=off';
    return failure(`capture cannot work: ${errorMessage(error)}`, advice);
  } finally {
    await changes.close().catch(() => undefined);
  }
}
