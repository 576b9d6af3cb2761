import type { z } from 'zod';
import { cut, type RepairReport, singleLine } from '@appointment-emissions/contracts';
import { AppError } from '../errors.ts';
import type { ReEmit } from './re-emit.ts';
import { repairRequests } from './requests.ts';
import type { Retry } from './retry.ts';

export interface RepairsDeps {
  retry: Retry;
  reEmit: ReEmit;
  now: () => number;
}

/** The repairs, as asked by somebody outside: checked, then done. @throws AppError INVALID_REQUEST */
export interface Repairs {
  /** @throws AppError EMISSION_NOT_FOUND where no failed emission of this id is kept */
  retry: (asked: unknown) => Promise<{ emissionId: string }>;
  retryFailed: (asked: unknown) => Promise<RepairReport>;
  reEmit: (asked: unknown) => Promise<RepairReport>;
}

export function createRepairs({ retry, reEmit, now }: RepairsDeps): Repairs {
  const requests = repairRequests(now);
  return {
    async retry(asked) {
      const { emissionId } = check(requests.retry, asked);
      if (await retry.one(emissionId)) return { emissionId };
      throw new AppError('EMISSION_NOT_FOUND', 'no failed emission of this id is kept');
    },
    async retryFailed(asked) {
      // Without an end: a worker whose clock is ahead says that jobs failed later than now.
      const { since, until = Infinity, code, limit, dryRun } = check(requests.retryFailed, asked);
      return retry.all({ since, until, code }, { limit, dryRun });
    },
    async reEmit(asked) {
      const { companyId, appointmentId, since, limit, dryRun } = check(requests.reEmit, asked);
      const subject = companyId === undefined ? { appointmentId: appointmentId ?? '' } : { companyId };
      return reEmit(subject, since, { limit, dryRun });
    },
  };
}

const MAX_PROBLEM = 500;

function check<T>(schema: z.ZodType<T>, asked: unknown): T {
  const parsed = schema.safeParse(asked);
  if (parsed.success) return parsed.data;
  const words = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'the request'} ${message}`,
  );
  // zod names fields that it does not know, and these are the caller's text.
  throw new AppError('INVALID_REQUEST', singleLine(cut(words.join('; '), MAX_PROBLEM)));
}
