import type { Logger } from './logger.ts';

/**
 * Kinds of data in Redis that another program can damage. `message`: a Pub/Sub message to sockets; `request`: a control
 * message of the Socket.IO adapter, which our processes never send; `job`: a BullMQ job. The other kinds are named after
 * the content of the key.
 */
export const DAMAGE_KINDS = [
  'message',
  'request',
  'job',
  'position',
  'log',
  'order',
  'published',
  'idempotency',
  'rate',
  'recent',
  'watermark',
  'token',
  'heartbeat',
  'metrics',
  'queue',
  'shards',
] as const;
export type DamageKind = (typeof DAMAGE_KINDS)[number];

/**
 * Counts and logs data in Redis that could not be parsed. Each caller decides how to continue.
 * @param details  ids and key names only, never the data itself
 */
export type ReportDamage = (kind: DamageKind, details?: Record<string, string | undefined>) => void;

const LOG_INTERVAL_MS = 10_000;

/** Logs the first of a kind at once, then at most one line every 10 s with the number since the last one. */
export function createReportDamage({
  count,
  logger,
  now = Date.now,
}: {
  count: (kind: DamageKind) => void;
  logger: Logger;
  now?: () => number;
}): ReportDamage {
  const kinds = new Map<DamageKind, { loggedAt: number; times: number }>();
  return (kind, details = {}) => {
    count(kind);
    const seen = kinds.get(kind) ?? { loggedAt: -Infinity, times: 0 };
    kinds.set(kind, seen);
    seen.times += 1;
    if (now() - seen.loggedAt < LOG_INTERVAL_MS) return;
    logger.warn({ kind, ...details, times: seen.times }, 'damaged data in redis');
    seen.loggedAt = now();
    seen.times = 0;
  };
}
