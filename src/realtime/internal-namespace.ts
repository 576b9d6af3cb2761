import type { IncomingMessage } from 'node:http';
import type { Server } from 'socket.io';
import {
  type EmitReply,
  INTERNAL_NAMESPACE,
  type InternalClientEvents,
} from '@appointment-emissions/contracts';
import { internalAuth, refusal, splitArguments } from './handshake.ts';

export interface InternalNamespaceDeps {
  io: Server;
  /** The key's fingerprint; undefined if the key is wrong. @throws AppError RATE_LIMITED after too many wrong keys */
  verifyKey: (key: string, request: IncomingMessage) => string | undefined;
  /** Accepts one emission as HTTP does. Resolves to HTTP's body and status, also for an invalid request. */
  emit: (keyFingerprint: string, request: unknown, from: IncomingMessage) => Promise<EmitReply>;
  /** Called with an unexpected error of `emit` or of its reply. The service gets no acknowledgement. */
  onFault: (error: unknown) => void;
}

/** The `/internal` namespace: services emit over it if HTTP does not work. */
export function attachInternalNamespace({ io, verifyKey, emit, onFault }: InternalNamespaceDeps): void {
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
      // An event without exactly one argument is answered as an invalid request.
      const request = given.length === 1 ? given[0] : undefined;
      emit(socket.data.keyFingerprint, request, socket.request).then(acknowledge).catch(onFault);
    });
  });
}
