import type { Connection } from 'mongoose';
import { composeAccept } from '../api/compose-accept.ts';
import { composeSnapshots } from '../api/compose-snapshots.ts';
import { composeWarnings } from '../api/compose-warnings.ts';
import { type EmbeddedConfig, loadEmbeddedConfig } from '../config.ts';
import { DEFAULT_MODEL } from '../model/default-model.ts';
import { parseModel } from '../model/parse-model.ts';
import { adoptConnection } from '../population/connect.ts';
import { createByCall } from '../population/indexes.ts';
import { closeIfThrows } from '../process/lifecycle.ts';
import { openResources, type Resources } from '../resources/open-resources.ts';
import { loadTracing } from '../tracing/load-tracing.ts';
import { runWorker } from '../../workers/start-worker.ts';
import { createAnnounceWrites } from './announce-writes.ts';
import { createApplicationLog } from './application-log.ts';
import { checkOptions } from './check-options.ts';
import { createAttach } from './create-attach.ts';
import { createRouters } from './create-routers.ts';
import type { Emissions, EmissionsOptions } from './options.ts';

/**
 * Adds the pipeline to an existing application. Returns at once: servers that are unavailable are tried again until they
 * answer.
 * @example
 * ```ts
 * const emissions = createEmissions({ connection: mongoose.connection, redis, model, settings: process.env });
 * app.use('/api/v1/internal', emissions.router);
 * await emissions.attach(io, { companyOf: (socket) => socket.data.user.companyId });
 * emissions.startWorker();
 * await emissions.updated(appointment._id, { session });
 * ```
 * @throws ConfigError or ModelError with every problem of the options, of the settings or of the model
 */
export function createEmissions(options: EmissionsOptions): Emissions {
  checkOptions(options);
  const config = loadEmbeddedConfig({ ...options.settings, REDIS_URL: options.redis });
  const model = options.model === undefined ? DEFAULT_MODEL : parseModel(options.model);
  const tracing = loadTracing();
  const logger = createApplicationLog(options.logger, tracing?.logFields);
  const open = (role: 'api' | 'worker'): Resources<EmbeddedConfig> =>
    openResources({
      ...{ config, model, role, logger, tracing },
      connect: (events) => adoptConnection(options.connection as unknown as Connection, events),
    });
  const resources = open('api');
  return closeIfThrows(resources.lifecycle, () => composeEmissions(options, resources, () => open('worker')));
}

function composeEmissions(
  options: EmissionsOptions,
  resources: Resources<EmbeddedConfig>,
  openWorker: () => Resources<EmbeddedConfig>,
): Emissions {
  const { io, companyOf } = options;
  const acceptance = composeAccept(resources);
  const snapshots = composeSnapshots(resources);
  const { attach, isAttached, ...dashboards } = createAttach(resources, snapshots);
  reportProcess(resources, acceptance, isAttached);
  let worker: Resources<EmbeddedConfig> | undefined;
  let closing: Promise<void> | undefined;

  const emissions: Emissions = {
    ...createRouters({
      resources,
      acceptance,
      snapshots,
      warnings: composeWarnings(resources, createByCall).beyondFigures,
      settings: options.settings ?? {},
      ...dashboards,
    }),
    attach: async (...args) => {
      if (closing) throw new Error('the pipeline is closed: call createEmissions again');
      await attach(...args);
    },
    ...createAnnounceWrites({ accept: acceptance.accept, logger: resources.logger }),
    startWorker() {
      if (worker || closing) return;
      worker = openWorker();
      runWorker(worker);
    },
    close() {
      closing ??= (async () => {
        await worker?.lifecycle.close();
        await resources.lifecycle.close();
      })();
      return closing;
    },
  };
  // A rejection is logged by `reportProcess`.
  if (io && companyOf) attach(io, { ...options, companyOf }).catch(() => undefined);
  return emissions;
}

/** Reports this process to the fleet, and a problem with which a stand-alone API ends. */
function reportProcess(
  resources: Resources<EmbeddedConfig>,
  { mostOverShare }: ReturnType<typeof composeAccept>,
  isAttached: () => boolean,
): void {
  const { id, metrics, warnings, unusable, logger } = resources;
  metrics.beat(() => ({
    role: 'api',
    id,
    overShare: mostOverShare(),
    // The heartbeats of an attached gateway have them.
    warnings: isAttached() ? [] : warnings.read(),
  }));
  void unusable.then(({ message }) => {
    logger.error({ error: message }, 'configuration not usable');
  });
}
