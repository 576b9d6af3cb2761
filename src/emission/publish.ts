import { Cluster } from 'ioredis';
import {
  APPOINTMENT_DELETED,
  type AppointmentEvent,
  type Id,
  isAppointmentEvent,
  type StreamPosition,
} from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import type { EncodedMessage } from './encode.ts';
import { type CompanyKeys, LIFETIMES } from './keys.ts';
import { DELETION } from './last-published.ts';
import { randomId } from './random.ts';
import { scriptWithPosition } from './script-with-position.ts';

const publishScript = scriptWithPosition('publish');

export interface OutgoingMessage extends EncodedMessage {
  appointmentId: Id;
  emissionId: string;
  event: AppointmentEvent;
  claimedToken: string;
  /** ISO 8601: `updatedAt` of the snapshot; kept for the sweep. Null for a deletion, and if the snapshot has none. */
  updatedAt: string | null;
  status: string | null;
  /** Digest of the snapshot, kept for capture; empty for a deletion. */
  digest: string;
  /** Packed references of the snapshot; empty for a deletion. */
  references: string;
  /** Whether the emission may have been published before: then it is looked for in the company log. */
  isRepeated: boolean;
}

export interface Published {
  epoch: string;
  offset: number;
  /**
   * Number of gateways that received the message; 0 if none was subscribed. `null` if it is unknown: on a Cluster, and if an
   * earlier run of the job published it.
   */
  gateways: number | null;
  /** The event that an earlier run of the job published. */
  eventBefore?: AppointmentEvent;
}

/**
 * Confirms and publishes snapshots of one read and one company, in order. `epoch` is the epoch of their claim.
 * Resolves, per message, to its position in the company log, or to undefined if its order token had changed: then it was
 * not sent, and the appointment must be read again. A repeated message that is among the newest entries of the log is not sent again.
 * @throws the errors of Redis; the messages may have been sent then
 */
export type Publish = (
  companyId: Id,
  read: { readId: string; epoch: string },
  messages: readonly OutgoingMessage[],
) => Promise<(Published | undefined)[]>;

export interface PublishOptions {
  keys: CompanyKeys;
  /** Maximum number of entries in the log of a company. */
  logMax: number;
  reportDamage?: ReportDamage;
  /** Called with the appointments whose snapshots were published; must return at once. */
  onPublished?: (companyId: Id, appointmentIds: readonly Id[]) => void;
}

export function createPublish(
  redis: RedisClient,
  { keys, logMax, reportDamage, onPublished }: PublishOptions,
): Publish {
  // A node of a Cluster counts only its own subscribers, and forwards the message to the other nodes.
  const toPublished = (position: StreamPosition, reached: number | string): Published =>
    typeof reached === 'number'
      ? { ...position, gateways: redis instanceof Cluster ? null : reached }
      : { ...position, gateways: null, ...(isAppointmentEvent(reached) && { eventBefore: reached }) };
  return async (companyId, { readId, epoch: claimedEpoch }, messages) => {
    const [first] = messages;
    if (!first) return [];
    const scriptKeys = [
      keys.position(companyId),
      keys.log(companyId),
      ...messages.map(({ appointmentId }) => keys.order(companyId, appointmentId)),
      keys.published(companyId),
    ];
    const answer = (await publishScript(redis, scriptKeys, [
      readId,
      randomId(),
      LIFETIMES.positionMs,
      LIFETIMES.logMs,
      LIFETIMES.orderMs,
      logMax,
      first.channel,
      claimedEpoch,
      ...messages.flatMap((message) => [
        message.claimedToken,
        message.event,
        message.appointmentId,
        message.emissionId,
        keptTime(message),
        message.status ?? '',
        message.references,
        message.digest,
        message.head,
        message.tail,
        message.isRepeated ? 1 : 0,
      ]),
    ])) as [string, number, number, ...(number | string)[]];
    const [epoch, isDamaged, isIndexDamaged, ...results] = answer;
    if (isDamaged === 1) reportDamage?.('log', { key: keys.log(companyId) });
    if (isIndexDamaged === 1) reportDamage?.('published', { key: keys.published(companyId) });
    const published = messages.map((_, index) => {
      const offset = Number(results[index * 2] ?? 0);
      return offset === 0 ? undefined : toPublished({ epoch, offset }, results[index * 2 + 1] ?? 0);
    });
    const shown = messages.filter(({ event }, index) => published[index] && event !== APPOINTMENT_DELETED);
    if (shown.length > 0)
      onPublished?.(
        companyId,
        shown.map(({ appointmentId }) => appointmentId),
      );
    return published;
  };
}

/** What the order key keeps in place of a time: {@link DELETION}, or nothing for a snapshot without a readable `updatedAt`. */
function keptTime({ event, updatedAt }: OutgoingMessage): number | string {
  if (event === APPOINTMENT_DELETED) return DELETION;
  return updatedAt === null ? '' : Date.parse(updatedAt);
}
