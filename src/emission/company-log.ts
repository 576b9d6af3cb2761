import {
  type Id,
  isAppointmentEvent,
  OBJECT_ID,
  type StreamPosition,
} from '@appointment-emissions/contracts';
import type { LogEntry, LogRead, MissingReason } from '../domain/company-log.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { type CompanyKeys, LIFETIMES } from './keys.ts';
import { randomId } from './random.ts';
import { scriptWithPosition } from './script-with-position.ts';

const logAfter = scriptWithPosition('log-after');

export interface CompanyLog {
  /** Epoch and offset of the newest emission. A company without a position gets a new epoch. */
  head: (companyId: Id) => Promise<StreamPosition>;
  /** The entries after `from`; `missing: 'too-many'` if there are more than `limit`. */
  after: (companyId: Id, from: StreamPosition, limit: number) => Promise<LogRead>;
}

export function createCompanyLog(
  redis: RedisClient,
  { keys, reportDamage }: { keys: CompanyKeys; reportDamage?: ReportDamage },
): CompanyLog {
  async function read(companyId: Id, { epoch, offset }: StreamPosition, limit: number): Promise<LogRead> {
    const reply = (await logAfter(
      redis,
      [keys.position(companyId), keys.log(companyId)],
      [randomId(), LIFETIMES.positionMs, epoch, offset, limit],
    )) as [string, number, 'ok' | MissingReason, number, ...string[]];
    const [headEpoch, headOffset, status, isDamaged, ...fields] = reply;
    if (isDamaged === 1) reportDamage?.('position', { key: keys.position(companyId) });
    const head = { epoch: headEpoch, offset: headOffset };
    if (status === 'ok') {
      const entries = parseEntries(fields, offset);
      if (entries) return { head, entries };
    }
    const missing = status === 'ok' ? 'invalid' : status;
    if (missing === 'invalid') reportDamage?.('log', { key: keys.log(companyId) });
    return { head, entries: [], missing };
  }

  return {
    // No company has this epoch: the script then reads no log.
    head: async (companyId) => (await read(companyId, { epoch: '', offset: 0 }, 0)).head,
    after: read,
  };
}

const MAX_EMISSION_ID_LENGTH = 200;

/** Undefined if any entry cannot be parsed: a replay without it would claim to be complete. */
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
