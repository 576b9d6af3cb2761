import {
  type CompanyReads,
  type FleetMetricsReading,
  OBJECT_ID,
  type ProcessRole,
} from '@appointment-emissions/contracts';
import { z } from 'zod';
import { boundedList, boundedText } from '../../domain/bounded.ts';
import { MAX_COMPANIES, mostEmissions } from '../../domain/recent-counts.ts';
import type { ReportDamage } from '../../process/damaged-data.ts';
import { luaScript } from '../../redis/script.ts';
import { ROLES } from '../names.ts';
import { HEARTBEAT_TTL_MS, metricsKeys, type MetricsRedis } from './keys.ts';

/** The processes that sent a heartbeat within 15 s. The number of companies is an estimate, within 1 % above a few hundred. */
export type Fleet = FleetMetricsReading['fleet'];

export interface ReadDeps {
  redis: MetricsRedis;
  prefix?: string;
  /** Tests only: milliseconds since 1970, instead of Redis' clock. */
  now?: () => number;
  reportDamage?: ReportDamage;
}

export const ignoreDamage: ReportDamage = () => undefined;

const fleetScript = luaScript(new URL('./read-fleet.lua', import.meta.url));

/** Reads the fleet and Redis' clock in one round trip. */
export async function readFleet({
  redis,
  prefix = 'metrics',
  now,
  reportDamage = ignoreDamage,
}: ReadDeps): Promise<{ nowMs: number; fleet: Fleet }> {
  const keys = metricsKeys(prefix);
  const args = [HEARTBEAT_TTL_MS, now?.() ?? '', keys.companies('')];
  const reply = await fleetScript(redis, [keys.live, keys.beats], args);
  const [nowMs, companies, beats] = reply as [string, number, [string, string][]];

  const overShare = new Map<string, number>();
  const busiest = new Map<string, CompanyReads>();
  const processes: Fleet['processes'] = { api: [], gateway: [], worker: [] };
  for (const [text, age] of beats) {
    const beat = parseBeat(text);
    if (!beat) {
      reportDamage('heartbeat', { key: keys.beats });
      continue;
    }
    const { role, id, sockets, idleMs, warnings, shards, capture } = beat;
    for (const { companyId, emissions } of beat.overShare)
      overShare.set(companyId, (overShare.get(companyId) ?? 0) + emissions);
    for (const reads of beat.busiest)
      busiest.set(reads.companyId, sumOf(reads, busiest.get(reads.companyId)));
    const sinceHeartbeatMs = Number(age);
    const sinceProgressMs = idleMs === undefined ? null : Math.round(idleMs) + sinceHeartbeatMs;
    // A role of a newer version is left out.
    if (isRole(role))
      processes[role].push({
        ...{ id, sockets, sinceHeartbeatMs, sinceProgressMs, warnings, capture },
        // A worker of an older version takes the jobs of shard 0.
        shards: shards ?? (role === 'worker' ? 1 : 0),
      });
  }
  const sockets = processes.gateway.reduce((sum, gateway) => sum + gateway.sockets, 0);
  const lists = { overShare: mostEmissions(overShare), busiest: busiestOf([...busiest.values()]) };
  return { nowMs: Number(nowMs), fleet: { processes, sockets, companies, ...lists } };
}

function sumOf(reads: CompanyReads, others: CompanyReads | undefined): CompanyReads {
  return {
    companyId: reads.companyId,
    sockets: reads.sockets + (others?.sockets ?? 0),
    delayedReads: reads.delayedReads + (others?.delayedReads ?? 0),
  };
}

/** The ten companies with the most delayed reads, then those with the most dashboards. */
export function busiestOf(companies: readonly CompanyReads[]): CompanyReads[] {
  return [...companies]
    .sort((a, b) => b.delayedReads - a.delayedReads || b.sockets - a.sockets)
    .slice(0, MAX_COMPANIES);
}

const beatSchema = z.object({
  role: z.string(),
  id: boundedText(200),
  sockets: z.int().min(0),
  idleMs: z.number().min(0).optional(),
  shards: z.int().min(0).optional().catch(undefined),
  overShare: boundedList(
    z.object({ companyId: z.string().regex(OBJECT_ID), emissions: z.int().min(1) }),
    MAX_COMPANIES,
  )
    .catch([])
    .default([]),
  busiest: boundedList(
    z.object({
      companyId: z.string().regex(OBJECT_ID),
      sockets: z.int().min(0),
      delayedReads: z.int().min(0),
    }),
    MAX_COMPANIES,
  )
    .catch([])
    .default([]),
  capture: z
    .object({ tokenAgeMs: z.number().min(0), restarts: z.int().min(0) })
    .nullable()
    .catch(null)
    .default(null),
  warnings: boundedList(boundedText(2_000, 0), 100).catch([]).default([]),
});

/** `undefined` if another program wrote it. */
function parseBeat(text: string): z.infer<typeof beatSchema> | undefined {
  try {
    return beatSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const isRole = (role: string): role is ProcessRole => (ROLES as readonly string[]).includes(role);
