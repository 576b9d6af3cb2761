/** What we use of a Socket.IO socket and its connection. */
interface Holder {
  once: (event: 'disconnect', listener: () => void) => unknown;
  conn: { readyState: string; once: (event: 'close', listener: () => void) => unknown };
}

/**
 * Counts the sockets of each company, from the check of the handshake on: handshakes that are checked at the same time
 * do not all see the same free place.
 * @returns whether there was a place, which the socket holds until it or its connection ends
 */
export function createCompanyShares(perCompany: number): (companyId: string, socket: Holder) => boolean {
  const held = new Map<string, number>();
  return (companyId, socket) => {
    const others = held.get(companyId) ?? 0;
    // A connection that has ended meanwhile would never give its place back.
    if (others >= perCompany || socket.conn.readyState !== 'open') return false;
    held.set(companyId, others + 1);
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      const left = (held.get(companyId) ?? 1) - 1;
      if (left > 0) held.set(companyId, left);
      else held.delete(companyId);
    };
    socket.once('disconnect', release);
    socket.conn.once('close', release);
    return true;
  };
}
