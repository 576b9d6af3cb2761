import type { IncomingMessage } from 'node:http';
import type { Server } from 'socket.io';
import {
  type EmitReply,
  INTERNAL_NAMESPACE,
  type InternalClientEvents,
} from '@appointment-emissions/contracts';
import { internalAuth, splitArguments } from './handshake.ts';
import { refusal } from './refusal.ts';

export interface InternalNamespaceDeps {
  io: Server;
  /** The key's fingerprint, or `undefined` for a wrong one. @throws AppError RATE_LIMITED after too many of those. */
  verifyKey: (key: string, request: IncomingMessage) => string | undefined;
  /** Accepts one emission as HTTP does; resolves to HTTP's body plus its status, whatever it is given. */
  emit: (keyFingerprint: string, request: unknown, from: IncomingMessage) => Promise<EmitReply>;
}

/** The `/internal` namespace: the bot's second way in, for when HTTP does not get through. */
export function attachInternalNamespace({ io, verifyKey, emit }: InternalNamespaceDeps): void {
  const namespace = io.of(INTERNAL_NAMESPACE) as unknown as ReturnType<
    Server<
      InternalClientEvents,
      Record<string, never>,
      Record<string, never>,
      { keyFingerprint: string }
    >['of']
  >;
  namespace.use((socket, next) => {
    const auth = internalAuth.safeParse(socket.handshake.auth);
    let keyFingerprint: string | undefined;
    try {
      if (auth.success) keyFingerprint = verifyKey(auth.data.apiKey, socket.request);
    } catch (error) {
      next(refusal(error));
      return;
    }
    if (keyFingerprint === undefined) {
      next(new Error(auth.success ? 'API_KEY_WRONG' : 'API_KEY_MISSING'));
      return;
    }
    socket.data.keyFingerprint = keyFingerprint;
    next();
  });
  namespace.on('connection', (socket) => {
    socket.on('emit', (...args: unknown[]) => {
      const { given, acknowledge } = splitArguments(args);
      if (!acknowledge) return;
      // Without exactly one argument there is no request, and the answer says what to send.
      const request = given.length === 1 ? given[0] : undefined;
      void emit(socket.data.keyFingerprint, request, socket.request).then(acknowledge);
    });
  });
}
