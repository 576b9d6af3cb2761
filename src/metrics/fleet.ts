import { HEARTBEAT_TTL_MS, metricsKeys } from './keys.ts';
import { ROLES, type Role } from './names.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { luaScript } from '../redis/script.ts';
import { z } from 'zod';
import type { MetricsRedis } from './writer-deps.ts';

/** What a process says of itself, every 5 s. */
export interface Heartbeat {
  role: Role;
  /** Unique among the fleet's processes of this role. */
  id: string;
  sockets?: number;
  /** Since it last got something done, where that is watched. */
  idleMs?: number;
  /** What is wrong with it, in words for the operator; without personal data. */
  warnings?: string[];
  /** The companies that it holds sockets of, or their rooms: only counted, over the fleet without duplicates. */
  companies?: Iterable<string>;
}

/** One process heard of within the last seconds. */
export interface ProcessReading {
  id: string;
  sockets: number;
  sinceHeartbeatMs: number;
  /** Since a worker took up or ended a job, or a gateway heard its canary; null where that is not watched. */
  sinceProgressMs: number | null;
  /** What it reports to be wrong with itself. */
  warnings: string[];
}

export interface Fleet {
  processes: Record<Role, ProcessReading[]>;
  sockets: number;
  /** Distinct over all gateways; an estimate within 1 % above a few hundred. */
  companies: number;
}

export interface ReadDeps {
  redis: MetricsRedis;
  prefix?: string;
  /** Tests only: milliseconds since 1970 in place of Redis' clock. */
  now?: () => number;
  reportDamage?: ReportDamage;
}

export const ignoreDamage: ReportDamage = () => undefined;

export const processKey = ({ role, id }: Pick<Heartbeat, 'role' | 'id'>) => `${role}:${id}`;

const fleetScript = luaScript(new URL('./fleet.lua', import.meta.url));

/** Who is alive, by Redis' clock, and that clock; and what the processes warn of. One round trip. */
export async function readFleet({ redis, prefix = 'metrics', now, reportDamage = ignoreDamage }: ReadDeps) {
  const keys = metricsKeys(prefix);
  const args = [HEARTBEAT_TTL_MS, now?.() ?? '', keys.companies('')];
  const reply = await fleetScript(redis, [keys.live, keys.beats], args);
  const [nowMs, companies, beats] = reply as [string, number, [string, string][]];

  const processes: Fleet['processes'] = { api: [], gateway: [], worker: [] };
  for (const [said, age] of beats) {
    const beat = parseBeat(said);
    if (!beat) {
      reportDamage('heartbeat', { key: keys.beats });
      continue;
    }
    const { role, id, sockets, idleMs, warnings } = beat;
    const sinceHeartbeatMs = Number(age);
    const sinceProgressMs = idleMs === undefined ? null : Math.round(idleMs) + sinceHeartbeatMs;
    // A role that a newer version knows is left out.
    if (isRole(role)) processes[role].push({ id, sockets, sinceHeartbeatMs, sinceProgressMs, warnings });
  }
  const sockets = processes.gateway.reduce((sum, gateway) => sum + gateway.sockets, 0);
  return { nowMs: Number(nowMs), fleet: { processes, sockets, companies } satisfies Fleet };
}

const beatSchema = z.object({
  role: z.string(),
  id: z.string().min(1).max(200),
  sockets: z.int().min(0),
  idleMs: z.number().min(0).optional(),
  warnings: z.array(z.string().max(2_000)).max(100).catch([]).default([]),
});

/** `undefined` where another program wrote it. */
function parseBeat(said: string): z.infer<typeof beatSchema> | undefined {
  try {
    return beatSchema.safeParse(JSON.parse(said)).data;
  } catch {
    return undefined;
  }
}

const isRole = (role: string): role is Role => (ROLES as readonly string[]).includes(role);
