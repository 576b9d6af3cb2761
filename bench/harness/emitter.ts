import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { createEmitAppointment } from '../../src/emission/emit-appointment.ts';
import { createEncodeMessage } from '../../src/emission/encode.ts';
import { createCompanyKeys } from '../../src/emission/keys.ts';
import { createPublish } from '../../src/emission/publish.ts';
import { createReadSnapshots } from '../../src/emission/read-snapshots.ts';
import { createLoadAppointments } from '../../src/population/load-appointments.ts';
import { isUnavailable } from '../../src/process/unavailable.ts';
import type { BenchEnvironment } from './environment.ts';

/** The worker's pipeline without its queue, in this process, so that only the receiving processes are measured. */
export function createEmitter({ redis, models, adapterKey, env }: BenchEnvironment) {
  const keys = createCompanyKeys(env['QUEUE_PREFIX']!);
  const emit = createEmitAppointment({
    readSnapshots: createReadSnapshots({ redis, keys, load: createLoadAppointments(models) }),
    encode: createEncodeMessage(adapterKey),
    publish: createPublish(redis, { keys, logMax: 10_000 }),
    packReferences: models.packReferences,
    isUnavailable,
    pause,
  });
  return (target: { appointmentId: string; companyId: string }) =>
    emit({
      ...target,
      event: 'appointment:updated',
      emissionId: randomUUID(),
      acceptedAt: new Date().toISOString(),
      attempt: 1,
      isRepeated: () => false,
      isLive: true,
    });
}
