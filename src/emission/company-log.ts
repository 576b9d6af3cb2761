import {
  type AppointmentEvent,
  type Id,
  isAppointmentEvent,
  type StreamPosition,
} from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';
import { LIFETIMES, logKey, positionKey } from './keys.ts';
import { randomId } from './random.ts';
import { scriptWithPosition } from './script-with-position.ts';

const logAfter = scriptWithPosition('log-after');

export interface LogEntry {
  offset: number;
  event: AppointmentEvent;
  appointmentId: Id;
  emissionId: string;
}

/** What a company's log holds after a place; `missing` says why it can't tell. */
export interface LogRead {
  head: StreamPosition;
  entries: LogEntry[];
  missing?: 'epoch' | 'trimmed' | 'too-many';
}

export interface CompanyLog {
  /** Epoch and offset of the newest emission; begins an epoch where there is none. */
  head: (companyId: Id) => Promise<StreamPosition>;
  /** Entries after `from`, at most `limit`. */
  after: (companyId: Id, from: StreamPosition, limit: number) => Promise<LogRead>;
}

export function createCompanyLog(redis: RedisClient): CompanyLog {
  async function ask(companyId: Id, epoch: string, offset: number, limit: number): Promise<LogRead> {
    const answer = (await logAfter(
      redis,
      [positionKey(companyId), logKey(companyId)],
      [randomId(), LIFETIMES.positionMs, epoch, offset, limit],
    )) as [string, number, 'ok' | 'epoch' | 'trimmed' | 'too-many', ...string[]];
    const [headEpoch, headOffset, verdict, ...fields] = answer;
    const head = { epoch: headEpoch, offset: headOffset };
    if (verdict !== 'ok') return { head, entries: [], missing: verdict };
    const entries: LogEntry[] = [];
    for (let i = 0; i < fields.length; i += 3) {
      const [event, appointmentId = '', emissionId = ''] = fields.slice(i, i + 3);
      if (isAppointmentEvent(event))
        entries.push({ offset: offset + 1 + i / 3, event, appointmentId, emissionId });
    }
    return { head, entries };
  }

  return {
    head: async (companyId) => (await ask(companyId, '', 0, 0)).head,
    after: (companyId, from, limit) => ask(companyId, from.epoch, from.offset, limit),
  };
}
