/** @returns a function that counts one use, and returns whether the window of `windowMs` allows it */
export function createWindowLimit(max: number, windowMs: number): () => boolean {
  let endsAt = -Infinity;
  let used = 0;
  return () => {
    const now = performance.now();
    if (now >= endsAt) {
      endsAt = now + windowMs;
      used = 0;
    }
    used += 1;
    return used <= max;
  };
}

/** What we use of a Socket.IO socket and its connection. */
interface CountedSocket {
  once: (event: 'disconnect', listener: () => void) => unknown;
  conn: { readyState: string; once: (event: 'close', listener: () => void) => unknown };
}

/**
 * Counts the sockets of each company from the handshake on, so that concurrent handshakes cannot take the same free
 * place.
 * @returns whether there was a place. The socket keeps it until the socket or its connection ends.
 */
export function createCompanyShares(
  perCompany: number,
): (companyId: string, socket: CountedSocket) => boolean {
  const counts = new Map<string, number>();
  return (companyId, socket) => {
    const others = counts.get(companyId) ?? 0;
    // A connection that has ended in the meantime would never release its place.
    if (others >= perCompany || socket.conn.readyState !== 'open') return false;
    counts.set(companyId, others + 1);
    let isCounted = true;
    const release = (): void => {
      if (!isCounted) return;
      isCounted = false;
      const left = (counts.get(companyId) ?? 1) - 1;
      if (left > 0) counts.set(companyId, left);
      else counts.delete(companyId);
    };
    socket.once('disconnect', release);
    socket.conn.once('close', release);
    return true;
  };
}
