import { hash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import {
  DASHBOARD_NAMESPACE,
  type DisconnectReport,
  type DisconnectRequest,
  OBJECT_ID,
} from '@appointment-emissions/contracts';
import { boundedText } from '../domain/bounded.ts';
import { AppError } from '../errors.ts';
import { isCluster, type RedisClient } from '../redis/connect.ts';
import { fromRedis } from '../redis/redis-errors.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { type DashboardServer, type DashboardSocket, isDashboard } from './dashboard-server.ts';

export interface DisconnectsDeps {
  redis: RedisClient;
  subscriber: RedisClient;
  adapterKey: string;
  /** The server of this process whose sockets are disconnected; undefined while it has none. */
  getIo: () => DashboardServer | undefined;
  reportDamage: ReportDamage;
  /** The channel could not be subscribed: requests of other processes do not reach this one. */
  onFault: (error: unknown) => void;
}

export interface Disconnects {
  /**
   * Disconnects the dashboards of a user or a company on all gateways, and counts them.
   * @throws AppError INVALID_REQUEST, QUEUE_UNAVAILABLE
   */
  request: (given: unknown) => Promise<DisconnectReport>;
  close: () => void;
}

const id = z.string().regex(OBJECT_ID, 'must be 24 hexadecimal characters');
const requestSchema = z
  .strictObject({
    companyId: id.transform((hex) => hex.toLowerCase()).exactOptional(),
    userId: boundedText(500).exactOptional(),
    dryRun: z.boolean().exactOptional(),
  })
  .refine(({ companyId, userId }) => companyId !== undefined || userId !== undefined, {
    message: 'needs companyId, userId or both',
  }) satisfies z.ZodType<DisconnectRequest>;

/** Whose sockets. A user is named by a hash, since an issuer may use an e-mail address as the user's id. */
const targetSchema = z
  .strictObject({
    companyId: id.exactOptional(),
    userHash: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .exactOptional(),
  })
  // Without an id, all sockets would match.
  .refine((target) => Object.keys(target).length > 0);
const requestId = z.uuid();
const messageSchema = z.union([
  z.strictObject({ type: z.literal('request'), requestId, dryRun: z.boolean(), target: targetSchema }),
  z.strictObject({ type: z.literal('reply'), requestId, matched: z.int().min(0) }),
]);
type Message = z.infer<typeof messageSchema>;

const MAX_MESSAGE_LENGTH = 1_000;
const REPLIES_WITHIN_MS = 1_000;

/**
 * Gateways refuse the requests of Socket.IO's adapter, since a forged one could move sockets between companies. This one
 * message of our own can only disconnect.
 */
export function createDisconnects(deps: DisconnectsDeps): Disconnects {
  const { redis, subscriber, adapterKey, getIo, reportDamage, onFault } = deps;
  const channel = `${adapterKey}-disconnect`;
  /** Requests of this process that wait for replies. */
  const waiting = new Map<string, (matched: number) => void>();
  const publish = (message: Message): Promise<number> => redis.publish(channel, JSON.stringify(message));

  function onMessage(from: string, text: string): void {
    if (from !== channel) return;
    const message = parseMessage(text);
    if (!message) reportDamage('request');
    else if (message.type === 'reply') waiting.get(message.requestId)?.(message.matched);
    else {
      const sockets = matching(getIo(), message.target);
      if (!message.dryRun)
        for (const socket of sockets) {
          socket.data.emissions.disconnectedBy = 'operator';
          socket.disconnect(true);
        }
      publish({ type: 'reply', requestId: message.requestId, matched: sockets.length }).catch(onFault);
    }
  }
  subscriber.on('message', onMessage);
  subscriber.subscribe(channel).catch(onFault);

  return {
    async request(given) {
      const { companyId, userId, dryRun = false } = parseRequest(given);
      const report = { dryRun, matched: 0, gateways: 0 };
      let receivers = Infinity;
      let finish = (): void => undefined;
      const allReplied = new Promise<void>((resolve) => (finish = resolve));
      const timer = setTimeout(finish, REPLIES_WITHIN_MS);
      const id = randomUUID();
      waiting.set(id, (matched) => {
        report.matched += matched;
        report.gateways += 1;
        if (report.gateways >= receivers) finish();
      });
      try {
        const whose = {
          ...(companyId !== undefined && { companyId }),
          ...(userId !== undefined && { userHash: hash('sha256', userId) }),
        };
        const message = { type: 'request', requestId: id, dryRun, target: whose } as const;
        const received = await fromRedis(publish(message), 'Redis does not answer');
        if (!isCluster(redis)) receivers = received;
        if (report.gateways < receivers) await allReplied;
      } finally {
        clearTimeout(timer);
        waiting.delete(id);
      }
      const unanswered = Number.isFinite(receivers) ? Math.max(receivers - report.gateways, 0) : 0;
      return { ...report, unanswered };
    },
    close() {
      subscriber.off('message', onMessage);
    },
  };
}

function matching(
  io: DashboardServer | undefined,
  { companyId, userHash }: z.infer<typeof targetSchema>,
): DashboardSocket[] {
  if (!io) return [];
  return [...io.of(DASHBOARD_NAMESPACE).sockets.values()].filter((socket) => {
    if (!isDashboard(socket)) return false;
    const { companyId: own, userId } = socket.data.emissions;
    const isOfUser = userHash === undefined || (userId !== undefined && hash('sha256', userId) === userHash);
    return isOfUser && (companyId === undefined || own === companyId);
  });
}

function parseMessage(text: string): Message | undefined {
  if (text.length > MAX_MESSAGE_LENGTH) return undefined;
  try {
    return messageSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function parseRequest(given: unknown): z.infer<typeof requestSchema> {
  const { data, error } = requestSchema.safeParse(given);
  if (data) return data;
  const [{ path, message } = { path: [], message: 'cannot be read' }] = error.issues;
  const isUnknownKey = error.issues.some(({ code }) => code === 'unrecognized_keys');
  // zod's message contains unknown field names, which are text of the caller.
  const problem = isUnknownKey ? 'may contain companyId, userId and dryRun only' : message;
  throw new AppError('INVALID_REQUEST', `${path.join('.') || 'the request'} ${problem}`);
}
