import type { z } from 'zod';
import {
  ALIVE_EVENT,
  APPOINTMENT_DELETED,
  CATCH_UP_EVENT,
  DASHBOARD_NAMESPACE,
  INTERNAL_NAMESPACE,
  PASSED_EVENT,
  POSITION_EVENT,
  SEEN_EVENT,
  SNAPSHOT_EVENTS,
  TOKEN_EVENT,
} from '@appointment-emissions/contracts';
import type { AppointmentModel } from '../../model/appointment-model.ts';
import * as shapes from './appointment-schemas.ts';
import { emitReply } from './emission-schemas.ts';
import { createSchemaCollection, type Json } from './collect-schemas.ts';

interface SocketEvent {
  name: string;
  channel: 'dashboards' | 'internal';
  /** Seen from the server. */
  action: 'send' | 'receive';
  summary: string;
  /** Its arguments, in order. */
  args: z.ZodType[];
  /** What it is acknowledged with. */
  answer?: z.ZodType;
}

/** Every event that crosses a socket. */
const SOCKET_EVENTS: readonly SocketEvent[] = [
  ...SNAPSHOT_EVENTS.map((name): SocketEvent => ({
    name,
    channel: 'dashboards',
    action: 'send',
    summary:
      'The event says why it was sent; the snapshot is the newest state. Upsert by `_id`, and use `status`.',
    args: [shapes.appointmentPayload, shapes.emissionMeta],
  })),
  {
    name: APPOINTMENT_DELETED,
    channel: 'dashboards',
    action: 'send',
    summary:
      "Remove the appointment by `_id`. It was deleted or, with `reason: 'out-of-scope'`, this screen may no longer see it.",
    args: [shapes.deletionPayload, shapes.emissionMeta],
  },
  {
    name: POSITION_EVENT,
    channel: 'dashboards',
    action: 'send',
    summary:
      'The head of the company log, sent after joining, after a catch-up, and every 10 s. With the reason `scope`, the renewed token has another scope: load the list again, and show nothing else.',
    args: [shapes.position],
  },
  {
    name: PASSED_EVENT,
    channel: 'dashboards',
    action: 'send',
    summary:
      'Sent to sockets with a scope, at most once a second. Everything up to this stream position was sent or is outside the scope: continue there without a catch-up.',
    args: [shapes.placeSchema],
  },
  {
    name: ALIVE_EVENT,
    channel: 'dashboards',
    action: 'send',
    summary:
      'A heartbeat, at least every 10 s while the gateway receives published events. `reads` is false while MongoDB cannot be read.',
    args: [shapes.alive],
  },
  {
    name: CATCH_UP_EVENT,
    channel: 'dashboards',
    action: 'receive',
    summary: 'Requests a replay of everything after this stream position.',
    args: [shapes.placeSchema],
    answer: shapes.position,
  },
  {
    name: TOKEN_EVENT,
    channel: 'dashboards',
    action: 'receive',
    summary:
      'Replaces the token before it expires. If the new token is refused, the present one stays in use. If its scope differs, a position with the reason `scope` follows.',
    args: [shapes.tokenRenewal],
    answer: shapes.tokenReply,
  },
  {
    name: SEEN_EVENT,
    channel: 'dashboards',
    action: 'receive',
    summary: 'Reports that this emission is on the screen (sampled).',
    args: [shapes.seen],
  },
  {
    name: 'emit',
    channel: 'internal',
    action: 'receive',
    summary: 'Emits one event, like the single routes.',
    args: [shapes.emitRequest],
    answer: emitReply,
  },
];

/** AsyncAPI 3.0 of the socket events. A message's payload is the list of its arguments. */
export function createAsyncApi(model: AppointmentModel): Json {
  const schemas = createSchemaCollection(model);
  const tuple = (args: z.ZodType[]): Json => ({
    type: 'array',
    prefixItems: args.map(schemas.of),
    minItems: args.length,
    maxItems: args.length,
  });

  const channels: Record<string, { messages: Json } & Json> = {
    dashboards: {
      address: DASHBOARD_NAMESPACE,
      description:
        "A Socket.IO namespace. The token's `companyId` decides the one room that a socket joins, and its `scope` what it receives. It is disconnected when the token expires.",
      bindings: { ws: { query: {} } },
      'x-auth': schemas.of(shapes.dashboardAuth),
      messages: {},
    },
    internal: {
      address: INTERNAL_NAMESPACE,
      description: 'A Socket.IO namespace for services: `auth: {apiKey}`.',
      messages: {},
    },
  };
  const operations: Json = {};
  for (const { name, channel, action, summary, args, answer } of SOCKET_EVENTS) {
    const key = name.replace(/[:-](.)/g, (_, letter: string) => letter.toUpperCase());
    const here = channels[channel];
    if (!here) continue;
    here.messages[key] = { name, summary, payload: tuple(args) };
    if (answer)
      here.messages[`${key}Answer`] = { name: `${name} (acknowledgement)`, payload: tuple([answer]) };
    const ref = (message: string) => ({ $ref: `#/channels/${channel}/messages/${message}` });
    operations[key] = {
      action,
      channel: { $ref: `#/channels/${channel}` },
      summary,
      messages: [ref(key)],
      ...(answer && {
        reply: { channel: { $ref: `#/channels/${channel}` }, messages: [ref(`${key}Answer`)] },
      }),
    };
  }
  return {
    asyncapi: '3.0.0',
    info: { title: 'Appointment emissions: socket events', version: '1' },
    channels,
    operations,
    components: { schemas: Object.fromEntries(schemas.components) },
  };
}
