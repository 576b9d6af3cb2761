import type { Logger } from './logger.ts';

/**
 * Kinds of data in Redis that another program may have damaged. `message`: a Pub/Sub message to sockets; `request`: one
 * of the Socket.IO adapter's control messages, which no process of ours sends; `job`: a BullMQ job; the others are named
 * after what the key holds.
 */
export const DAMAGE_KINDS = [
  'message',
  'request',
  'job',
  'position',
  'log',
  'order',
  'idempotency',
  'recent',
  'watermark',
  'heartbeat',
  'metrics',
  'queue',
] as const;
export type DamageKind = (typeof DAMAGE_KINDS)[number];

/**
 * Counts and logs data in Redis that could not be understood. Each caller decides what it does instead.
 * @param details ids and key names only, never the data itself
 */
export type ReportDamage = (kind: DamageKind, details?: Record<string, string | undefined>) => void;

const LOG_EVERY_MS = 10_000;

/** Logs the first of a kind at once, then one line every 10 s with how many there were since. */
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
    if (now() - seen.loggedAt < LOG_EVERY_MS) return;
    logger.warn({ kind, ...details, times: seen.times }, 'damaged data in redis');
    seen.loggedAt = now();
    seen.times = 0;
  };
}
