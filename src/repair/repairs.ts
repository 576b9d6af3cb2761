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

/** Checks a request from outside and runs the repair. @throws AppError INVALID_REQUEST */
export interface Repairs {
  /** @throws AppError EMISSION_NOT_FOUND if no failed emission has this id */
  retry: (request: unknown) => Promise<{ emissionId: string }>;
  retryFailed: (request: unknown) => Promise<RepairReport>;
  reEmit: (request: unknown) => Promise<RepairReport>;
}

export function createRepairs({ retry, reEmit, now }: RepairsDeps): Repairs {
  const requests = repairRequests(now);
  return {
    async retry(request) {
      const { emissionId } = check(requests.retry, request);
      if (await retry.one(emissionId)) return { emissionId };
      throw new AppError('EMISSION_NOT_FOUND', 'no failed emission has this id');
    },
    async retryFailed(request) {
      // No end by default: a worker whose clock is ahead records failures in the future.
      const { since, until = Infinity, code, limit, dryRun } = check(requests.retryFailed, request);
      return retry.all({ since, until, code }, { limit, dryRun });
    },
    async reEmit(request) {
      const { companyId, appointmentId, since, limit, dryRun } = check(requests.reEmit, request);
      const subject = companyId === undefined ? { appointmentId: appointmentId ?? '' } : { companyId };
      return reEmit(subject, since, { limit, dryRun });
    },
  };
}

const MAX_PROBLEM = 500;

function check<T>(schema: z.ZodType<T>, request: unknown): T {
  const parsed = schema.safeParse(request);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'the request'} ${message}`,
  );
  // zod's message contains unknown field names, which are text of the caller.
  throw new AppError('INVALID_REQUEST', singleLine(cut(problems.join('; '), MAX_PROBLEM)));
}
