import type { IncomingMessage } from 'node:http';
import { TOKEN_EVENT, type TokenReply } from '@appointment-emissions/contracts';
import type { Viewer } from '../access/verify-token.ts';
import { AppError } from '../errors.ts';
import type { DashboardSocket } from './dashboard-server.ts';
import { refusalReply, splitArguments, tokenRenewal } from './handshake.ts';
import { createWindowLimit } from './limits.ts';

export interface RenewTokensDeps {
  verifyToken: (token: unknown, request: IncomingMessage) => Promise<Viewer>;
  /** Called with the viewer of the new token, before the answer is sent. */
  onRenewed: (viewer: Viewer) => void;
}

/** Renewals that one socket may request in {@link WINDOW_MS}. */
const MAX_RENEWALS = 5;
const WINDOW_MS = 10_000;

/**
 * Answers `emissions:token`. The new token must be of the same company and of the same user: both tokens have the same `sub`, or
 * none has one. Otherwise, or if it cannot be verified, the present token stays in use. Renewals of one socket are carried out
 * one after the other, so that the last one decides. A request without an acknowledgement function is ignored.
 */
export function renewTokens(socket: DashboardSocket, { verifyToken, onRenewed }: RenewTokensDeps): void {
  const isWithin = createWindowLimit(MAX_RENEWALS, WINDOW_MS);
  let previous: Promise<unknown> = Promise.resolve();

  async function renew(given: readonly unknown[]): Promise<TokenReply> {
    const renewal = given.length === 1 ? tokenRenewal.safeParse(given[0]).data : undefined;
    if (!renewal) throw new AppError('INVALID_REQUEST', 'send {token}');
    const viewer = await verifyToken(renewal.token, socket.request);
    const { companyId, userId } = socket.data.emissions;
    if (viewer.companyId !== companyId || viewer.userId !== userId) {
      throw new AppError(
        'TOKEN_INVALID',
        'the token belongs to another company or user than the present one',
      );
    }
    if (socket.connected) onRenewed(viewer);
    return { ok: true, expiresAt: new Date(viewer.expiresAt).toISOString() };
  }

  socket.on(TOKEN_EVENT, (...args: unknown[]) => {
    const { given, acknowledge } = splitArguments(args);
    if (!acknowledge) return;
    if (!isWithin()) {
      acknowledge(refusalReply(new AppError('RATE_LIMITED', 'too many renewals of the token')));
      return;
    }
    previous = previous
      .then(() => renew(given))
      .then(acknowledge, (error: unknown) => {
        acknowledge(refusalReply(error));
      });
  });
}

/** Refuses each `emissions:token`, for sockets that an application authenticates itself. */
export function refuseTokens(socket: DashboardSocket): void {
  socket.on(TOKEN_EVENT, (...args: unknown[]) => {
    const error = new AppError(
      'TOKEN_INVALID',
      'this server verifies logins itself: connect again with the new token',
    );
    splitArguments(args).acknowledge?.(refusalReply(error));
  });
}
