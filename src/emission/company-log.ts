import {
  type AppointmentEvent,
  type Id,
  isAppointmentEvent,
  OBJECT_ID,
  type StreamPosition,
} from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { type CompanyKeys, LIFETIMES } from './keys.ts';
import { randomId } from './random.ts';
import { scriptWithPosition } from './script-with-position.ts';

const logAfter = scriptWithPosition('log-after');

export interface LogEntry {
  offset: number;
  event: AppointmentEvent;
  appointmentId: Id;
  emissionId: string;
}

/** `invalid`: position or log hold what no process of ours writes. */
type Missing = 'epoch' | 'trimmed' | 'too-many' | 'invalid';

/** What a company's log holds after a place; `missing` says why it can't tell. */
export interface LogRead {
  head: StreamPosition;
  entries: LogEntry[];
  missing?: Missing;
}

export interface CompanyLog {
  /** Epoch and offset of the newest emission; begins an epoch where there is none. */
  head: (companyId: Id) => Promise<StreamPosition>;
  /** Entries after `from`, at most `limit`. */
  after: (companyId: Id, from: StreamPosition, limit: number) => Promise<LogRead>;
}

export function createCompanyLog(
  redis: RedisClient,
  { keys, reportDamage }: { keys: CompanyKeys; reportDamage?: ReportDamage },
): CompanyLog {
  async function ask(companyId: Id, epoch: string, offset: number, limit: number): Promise<LogRead> {
    const answer = (await logAfter(
      redis,
      [keys.position(companyId), keys.log(companyId)],
      [randomId(), LIFETIMES.positionMs, epoch, offset, limit],
    )) as [string, number, 'ok' | Missing, number, ...string[]];
    const [headEpoch, headOffset, verdict, isDamaged, ...fields] = answer;
    if (isDamaged === 1) reportDamage?.('position', { key: keys.position(companyId) });
    const head = { epoch: headEpoch, offset: headOffset };
    if (verdict === 'ok') {
      const entries = parseEntries(fields, offset);
      if (entries) return { head, entries };
    }
    const missing = verdict === 'ok' ? 'invalid' : verdict;
    if (missing === 'invalid') reportDamage?.('log', { key: keys.log(companyId) });
    return { head, entries: [], missing };
  }

  return {
    head: async (companyId) => (await ask(companyId, '', 0, 0)).head,
    after: (companyId, from, limit) => ask(companyId, from.epoch, from.offset, limit),
  };
}

const MAX_EMISSION_ID_LENGTH = 200;

/** `undefined` where one cannot be understood: a replay without it would claim to be complete. */
function parseEntries(fields: readonly string[], from: number): LogEntry[] | undefined {
  const entries: LogEntry[] = [];
  for (let i = 0; i < fields.length; i += 3) {
    const [event, appointmentId = '', emissionId = ''] = fields.slice(i, i + 3);
    const isKnown = isAppointmentEvent(event) && OBJECT_ID.test(appointmentId);
    if (!isKnown || emissionId === '' || emissionId.length > MAX_EMISSION_ID_LENGTH) return undefined;
    entries.push({ offset: from + 1 + i / 3, event, appointmentId, emissionId });
  }
  return entries;
}
