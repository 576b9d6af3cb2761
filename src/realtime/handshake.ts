import { z } from 'zod';

/** Shapes of what dashboards and services send; what does not fit is refused. */
const place = z.object({ epoch: z.string().min(1).max(64), offset: z.number().int().min(0) });

export const dashboardAuth = z.object({ token: z.string(), position: place.optional().catch(undefined) });
export const internalAuth = z.object({ apiKey: z.string() });
export const catchUpRequest = place;
export const seenReport = z.strictObject({
  emissionId: z.string().min(1).max(200),
  acceptedAt: z.iso.datetime(),
});
