import type { z } from 'zod';
import {
  ALIVE_EVENT,
  APPOINTMENT_CREATED,
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
import { createSchemaCollection, documentInfo, type Json } from './document-parts.ts';
import { emitReply } from './emission-schemas.ts';
import { EXAMPLES } from './operation.ts';

interface SocketEvent {
  name: string;
  channel: 'dashboards' | 'services';
  /** `send`: the server sends it; `receive`: a client does. */
  action: 'send' | 'receive';
  summary: string;
  /** Its arguments, in order. */
  args: z.ZodType[];
  /** Arguments of an example. Events with a snapshot have none, since the model decides its fields. */
  example?: unknown[];
  acknowledgement?: z.ZodType;
}

const { epoch, emissionId, appointmentId, companyId, instant } = EXAMPLES;
const examplePosition = { epoch, offset: 12 };

/** Every event that crosses a socket. */
const SOCKET_EVENTS: readonly SocketEvent[] = [
  ...SNAPSHOT_EVENTS.map((name): SocketEvent => ({
    name,
    channel: 'dashboards',
    action: 'send',
    summary:
      'The event is the reason for the message; the snapshot is the newest state. Upsert it by `_id`, and use its `status`.',
    args: [shapes.appointmentPayload, shapes.emissionMeta],
  })),
  {
    name: APPOINTMENT_DELETED,
    channel: 'dashboards',
    action: 'send',
    summary:
      "Remove the appointment by `_id`. It was deleted or, with `reason: 'out-of-scope'`, this screen may no longer see it.",
    args: [shapes.deletionPayload, shapes.emissionMeta],
    example: [
      { appointment: { _id: appointmentId, companyId } },
      {
        ...{ emissionId, event: APPOINTMENT_DELETED, ...examplePosition, read: 0, attempt: 1 },
        ...{ acceptedAt: instant, publishedAt: instant, replayed: false },
      },
    ],
  },
  {
    name: POSITION_EVENT,
    channel: 'dashboards',
    action: 'send',
    summary:
      'The head of the company log: after joining, after a catch-up, when the gateway has its subscription back, and every 10 s. With `recovered: false`, load the list again. With the reason `scope`, the renewed token has another scope: show nothing but the new list.',
    args: [shapes.positionUpdate],
    example: [{ ...examplePosition, recovered: true }],
  },
  {
    name: PASSED_EVENT,
    channel: 'dashboards',
    action: 'send',
    summary:
      'Sent to sockets with a scope, at most once a second. Everything up to this stream position was sent or is outside the scope: continue there without a catch-up.',
    args: [shapes.streamPosition],
    example: [examplePosition],
  },
  {
    name: ALIVE_EVENT,
    channel: 'dashboards',
    action: 'send',
    summary:
      'A heartbeat, at least every 10 s while the gateway receives published events. `reads` is false while MongoDB cannot be read.',
    args: [shapes.alive],
    example: [{ reads: true }],
  },
  {
    name: CATCH_UP_EVENT,
    channel: 'dashboards',
    action: 'receive',
    summary: 'Requests a replay of everything after this stream position.',
    args: [shapes.streamPosition],
    example: [examplePosition],
    acknowledgement: shapes.positionUpdate,
  },
  {
    name: TOKEN_EVENT,
    channel: 'dashboards',
    action: 'receive',
    summary:
      'Replaces the token before it expires. If the new token is refused, the present one stays in use. If the new token has another scope, `emissions:position` with the reason `scope` follows.',
    args: [shapes.tokenRenewal],
    example: [{ token: 'eyJhbGciOiJIUzI1NiJ9.…' }],
    acknowledgement: shapes.tokenReply,
  },
  {
    name: SEEN_EVENT,
    channel: 'dashboards',
    action: 'receive',
    summary: 'Reports that this emission is on the screen. Sent for a sample of the emissions.',
    args: [shapes.seen],
    example: [{ emissionId, acceptedAt: instant }],
  },
  {
    name: 'emit',
    channel: 'services',
    action: 'receive',
    summary: 'Emits one event. The acknowledgement is the reply of the HTTP route, with its status.',
    args: [shapes.emitRequest],
    example: [{ event: APPOINTMENT_CREATED, appointmentId }],
    acknowledgement: emitReply,
  },
];

const SECURITY_SCHEMES: Record<SocketEvent['channel'], Json> = {
  dashboards: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The handshake has `auth: {token, position?}`: see `x-auth` of the channel.',
  },
  services: {
    type: 'apiKey',
    in: 'password',
    description: 'The handshake has `auth: {apiKey}`, with a key of INTERNAL_SERVICE_API_KEY.',
  },
};

const TAGS: Record<SocketEvent['channel'], string> = { dashboards: 'Dashboards', services: 'Services' };

const DESCRIPTION =
  'Events of the Socket.IO 4 server. The payload of a message is the list of the arguments of its event; a reply is the acknowledgement of an event.';

/** AsyncAPI 3.0 of the socket events. @param basePath  the path prefix that a proxy in front strips */
export function createAsyncApi(model: AppointmentModel, basePath = ''): Json {
  const schemas = createSchemaCollection(model);
  const channels: Record<SocketEvent['channel'], { messages: Json } & Json> = {
    dashboards: {
      address: DASHBOARD_NAMESPACE,
      description:
        "Namespace of the dashboards. The token's `companyId` decides the room that a socket joins, its `scope` what the socket receives. The server disconnects a socket whose token expires.",
      'x-auth': schemas.of(shapes.dashboardAuth),
      messages: {},
    },
    services: {
      address: INTERNAL_NAMESPACE,
      description: 'Namespace of services, such as the bot.',
      messages: {},
    },
  };
  const operations: Json = {};
  for (const event of SOCKET_EVENTS) {
    const { key, messages, operation } = describeEvent(event, schemas.of);
    Object.assign(channels[event.channel].messages, messages);
    operations[key] = operation;
  }
  return {
    asyncapi: '3.0.0',
    info: {
      ...documentInfo('Appointment emissions: socket events', DESCRIPTION),
      tags: Object.values(TAGS).map((name) => ({ name })),
    },
    servers: {
      gateway: {
        host: '{host}',
        pathname: `${basePath}/socket.io/`,
        protocol: 'ws',
        description: 'Any API process. In production, TLS ends at the proxy: `wss`.',
        variables: { host: { default: 'localhost:3001', description: 'Host and port of the API.' } },
      },
    },
    defaultContentType: 'application/json',
    channels,
    operations,
    components: { schemas: Object.fromEntries(schemas.components), securitySchemes: SECURITY_SCHEMES },
  };
}

/** An event as an operation, and its messages by name: the event, and the acknowledgement if it has one. */
function describeEvent(
  { name, channel, action, summary, args, example, acknowledgement }: SocketEvent,
  schemaOf: (schema: z.ZodType) => Json,
): { key: string; messages: Json; operation: Json } {
  // As in JSON Schema draft 7, which AsyncAPI extends.
  const tuple = (schemas: z.ZodType[]): Json => ({
    type: 'array',
    items: schemas.map(schemaOf),
    minItems: schemas.length,
    maxItems: schemas.length,
  });
  const key = name.replace(/[:-](.)/g, (_, letter: string) => letter.toUpperCase());
  const replyKey = `${key}Acknowledgement`;
  const channelRef = { $ref: `#/channels/${channel}` };
  const messageRef = (message: string) => ({ $ref: `${channelRef.$ref}/messages/${message}` });
  return {
    key,
    messages: {
      [key]: { name, summary, payload: tuple(args), ...(example && { examples: [{ payload: example }] }) },
      ...(acknowledgement && {
        [replyKey]: { name: `${name} (acknowledgement)`, payload: tuple([acknowledgement]) },
      }),
    },
    operation: {
      action,
      channel: channelRef,
      summary,
      tags: [{ name: TAGS[channel] }],
      security: [{ $ref: `#/components/securitySchemes/${channel}` }],
      messages: [messageRef(key)],
      ...(acknowledgement && { reply: { channel: channelRef, messages: [messageRef(replyKey)] } }),
    },
  };
}
