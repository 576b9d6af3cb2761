import { z } from 'zod';
import { FIRST_INSTANT, OBJECT_ID, parseInstant } from '@appointment-emissions/contracts';
import { boundedText } from '../domain/bounded.ts';
import { ERROR_CODES, type ErrorCode } from '../errors.ts';

/** Maximum number of jobs in one repair. A second call continues. */
const MAX_LIMIT = 10_000;
const DEFAULT_LIMIT = 1_000;

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Parses ISO 8601, or an age such as `90s`, `30m`, `2h`, `3d`, into ms since 1970. An age before 1970 gives 0. */
function time(now: () => number) {
  return z.string().transform((text, context) => {
    const age = /^(\d{1,6})([smhd])$/.exec(text);
    const ms = age
      ? Math.max(now() - Number(age[1]) * UNITS_MS[age[2] as keyof typeof UNITS_MS], FIRST_INSTANT)
      : parseInstant(text);
    if (ms !== undefined) return ms;
    context.addIssue({
      code: 'custom',
      message:
        'must be a time that exists in ISO 8601 with its zone, in a year from 1970 to 9999, such as ' +
        '2026-11-23T08:00:00Z, or an age such as 90s, 30m, 2h or 3d',
    });
    return z.NEVER;
  });
}

/** An id of an appointment or a company. */
export const id = z
  .string()
  .regex(OBJECT_ID, 'must be 24 hexadecimal characters')
  .transform((hex) => hex.toLowerCase());
const code = z.enum(
  Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]],
  'is not one of docs/reference/errors.md',
);
const extent = {
  limit: z.number().int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
  dryRun: z.boolean().default(false),
};

/** Schemas of the requests, over HTTP and on the command line. @param now  ms since 1970 */
export function repairRequests(now: () => number) {
  const since = time(now);
  return {
    retry: z.strictObject({ emissionId: boundedText(200) }),
    retryFailed: z
      .strictObject({ since, until: time(now).optional(), code: code.optional(), ...extent })
      .refine(({ since: from, until }) => until === undefined || from <= until, {
        path: ['until'],
        message: 'must not be before since',
      }),
    reEmit: z
      .strictObject({ companyId: id.optional(), appointmentId: id.optional(), since, ...extent })
      .refine(({ companyId, appointmentId }) => (companyId === undefined) !== (appointmentId === undefined), {
        message: 'needs either companyId or appointmentId',
      }),
  };
}
