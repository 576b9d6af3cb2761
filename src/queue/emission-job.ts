import { z } from 'zod';
import { APPOINTMENT_EVENTS, OBJECT_ID, TRACEPARENT } from '@appointment-emissions/contracts';
import { boundedText } from '../domain/bounded.ts';
import { AppError } from '../errors.ts';

/** Increased if the shape changes so that older workers must leave the job to newer ones. */
export const JOB_VERSION = 1;

const MAX_EMISSION_ID_LENGTH = 200;

/** A job holds ids only: personal data never passes through the queue. Times are ISO 8601. */
const schema = z.object({
  v: z.literal(JOB_VERSION),
  event: z.enum(APPOINTMENT_EVENTS),
  appointmentId: z.string().regex(OBJECT_ID),
  companyId: z.string().regex(OBJECT_ID),
  emissionId: boundedText(MAX_EMISSION_ID_LENGTH),
  acceptedAt: z.iso.datetime(),
  /** Of the request; for logs only. Older processes neither write nor read it. */
  traceparent: z.string().regex(TRACEPARENT).optional().catch(undefined),
});

export type EmissionJob = z.infer<typeof schema>;

/** Whether a newer version made the job: a newer worker can process it. */
export function isOfLaterVersion(data: unknown): boolean {
  // A schema would make an error for each job of this version.
  const { v } = Object(data) as { v?: unknown };
  return Number.isSafeInteger(v) && Number(v) > JOB_VERSION;
}

/** @throws AppError JOB_INVALID: final, such a job can never be processed. */
export function parseEmissionJob(data: unknown, name: string): EmissionJob {
  const parsed = schema.safeParse(data);
  if (parsed.success) {
    if (parsed.data.event === name) return parsed.data;
    throw new AppError('JOB_INVALID', "the job's name is not its event");
  }
  const [issue] = parsed.error.issues;
  throw new AppError(
    'JOB_INVALID',
    `the job's ${issue?.path.join('.') || 'data'} is not usable: ${issue?.message ?? ''}`,
  );
}
