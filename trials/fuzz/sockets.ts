import fc from 'fast-check';
import { until } from '../../test/harness/until.ts';
import { API_KEY } from '../../test/harness/world.ts';
import { session, textFrame } from '../../test/security/frames.ts';
import { openRawWebSocket } from '../../test/security/raw-websocket.ts';
import { mutated, mutatedBytes, oddValues, rarely } from './mutate.ts';
import { type OpenSurface, surfaceOf } from './surface.ts';
import type { Target } from './target.ts';

/** A frame that declares more bytes than it has also takes the last request. The connection then stays silent. */
const ANSWERED_WITHIN_MS = 500;
/** The last request of a session, with its answer. */
const LAST = {
  dashboard: { packet: '42998["emissions:catch-up",{"epoch":"none","offset":0}]', answer: '43998[' },
  service: { packet: '42/internal,998["emit",{}]', answer: '43/internal,998[' },
};

/**
 * WebSocket frames, Engine.IO and Socket.IO packets: of any form, and valid requests of dashboards and services with changed
 * arguments.
 */
export const openSockets: OpenSurface = async (target) => {
  const token = await target.world.token(target.company.companyId, '2h');
  const any = session.map(({ isLetIn, frames }) => ({
    auth: isLetIn ? { token } : undefined,
    key: undefined,
    frames,
    isWellFormed: false,
  }));
  const packet = fc.oneof(dashboardPackets(target, token), servicePackets(target));
  const valid = fc.record({
    auth: usually({ token }, { token, position: { epoch: 'a', offset: 1 } }),
    key: usually({ apiKey: API_KEY }, { apiKey: API_KEY }),
    packets: fc.array(packet, { maxLength: 12 }),
    edit: rarely(mutatedBytes(1)),
  });
  const edited = valid.map(({ auth, key, packets, edit }) => ({
    auth,
    key,
    frames: packets.map((text, index) => {
      const frame = textFrame(`4${text}`);
      return edit && index === 0 ? edit(frame) : frame;
    }),
    isWellFormed: edit === undefined,
  }));
  return surfaceOf(fc.oneof<fc.Arbitrary<Session>[]>(any, edited), async (sent) => {
    const { auth, key, frames, isWellFormed } = sent;
    const socket = await openRawWebSocket(target.api.url);
    try {
      const isDashboard = auth !== undefined && (await socket.join('', auth));
      const isService = key !== undefined && (await socket.join('/internal,', key));
      const who = isDashboard ? 'dashboard' : isService ? 'service' : 'stranger';
      socket.send(...frames);
      const last = who === 'stranger' ? socket.settled() : socket.request(LAST[who].packet, LAST[who].answer);
      // Well-formed packets, whatever their arguments, never silence a connection.
      const end = isWellFormed
        ? await last
        : await until('the last answer', last, ANSWERED_WITHIN_MS).catch(() => 'silent');
      target.count(`${who} ${end}`);
    } finally {
      socket.close();
    }
  });
};

interface Session {
  auth: unknown;
  key: unknown;
  frames: Buffer[];
  /** Each frame is a well-formed packet. */
  isWellFormed: boolean;
}

const usually = (valid: unknown, base: unknown): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(valid) }, { weight: 1, arbitrary: mutated(base, 1) });

const ack = fc.constantFrom('', '1', '77', '9'.repeat(20));

function dashboardPackets({ watchers, company }: Target, token: string): fc.Arbitrary<string> {
  const [position = { epoch: 'none', offset: 0 }] = watchers.own.positions;
  const { epoch, offset } = position;
  const events: Record<string, unknown> = {
    'emissions:catch-up': { epoch, offset },
    'emissions:token': { token },
    'emissions:seen': { emissionId: company.companyId, acceptedAt: new Date().toISOString() },
  };
  return fc
    .tuple(fc.constantFrom(...Object.entries(events)), ack, fc.array(oddValues, { maxLength: 1 }))
    .chain(([[event, given], id, more]) =>
      mutated(given, 2).map((argument) => `2${id}${JSON.stringify([event, argument, ...more])}`),
    );
}

function servicePackets({ appointments }: Target): fc.Arbitrary<string> {
  const [appointmentId] = appointments;
  const request = { event: 'appointment:updated', appointmentId, idempotencyKey: 'a-key' };
  return fc
    .tuple(ack, mutated(request, 2), fc.array(oddValues, { maxLength: 1 }))
    .map(([id, argument, more]) => `2/internal,${id}${JSON.stringify(['emit', argument, ...more])}`);
}
