import { composeRepairs } from '../api/compose-repairs.ts';
import type { WorkerConfig } from '../config.ts';
import type { AppointmentModel } from '../model/appointment-model.ts';
import { createModels } from '../population/models.ts';
import { createBulkPacer } from '../process/bulk-pacer.ts';
import { createEnqueue } from '../queue/producer.ts';
import type { Command } from './command-line.ts';
import { connectServers } from './connect-servers.ts';

const REPAIRS = { retry: 'retry', 'retry-failed': 'retryFailed', 're-emit': 'reEmit' } as const;

export type RepairName = keyof typeof REPAIRS;

/** Connects, runs one repair and disconnects. @throws AppError if its arguments are invalid or a server is unavailable */
export async function runRepair(
  config: WorkerConfig,
  model: AppointmentModel,
  { name, argument, options }: Pick<Command, 'argument' | 'options'> & { name: RepairName },
): Promise<object> {
  const ignore = () => undefined;
  const servers = connectServers(config);
  const { redis, mongo } = servers;
  try {
    const shards = await servers.openShards();
    if (name === 're-emit') await servers.mongoReady();
    const enqueue = createEnqueue({
      shardOf: shards.of,
      redis,
      policy: { attempts: config.EMISSION_ATTEMPTS, firstRetryDelayMs: config.EMISSION_BACKOFF_MS },
      remember: ignore,
    });
    const { repairs } = composeRepairs({
      ...{ redis, shards, models: createModels(mongo.connection, model), enqueue, pacer: createBulkPacer() },
      now: Date.now,
      reportDamage: ignore,
    });
    return await repairs[REPAIRS[name]](toRequest({ argument, options }));
  } finally {
    await servers.close();
  }
}

/** The request as HTTP has it. The repair checks it. */
export function toRequest({
  argument: emissionId,
  options,
}: Pick<Command, 'argument' | 'options'>): Record<string, unknown> {
  const { company, appointment, limit, 'dry-run': dryRun, ...others } = options;
  return {
    ...(emissionId !== undefined && { emissionId }),
    ...others,
    ...(company !== undefined && { companyId: company }),
    ...(appointment !== undefined && { appointmentId: appointment }),
    ...(limit !== undefined && { limit: Number(limit) }),
    ...(dryRun !== undefined && { dryRun }),
  };
}
