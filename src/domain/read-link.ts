/**
 * Links a published snapshot to the confirmed snapshot of its appointment before it. `claimedToken` is the order token that
 * was claimed before the read, `readId` the order token since. If one message's `claimedToken` is the `readId` of an earlier
 * message, no list and no replay has shown the appointment in between.
 */
export interface ReadLink {
  claimedToken: string;
  readId: string;
}

const ROOM = /^read:([\w-]{16}):([\w-]{16})$/;

/**
 * The link as the name of a room that no socket joins. Messages carry it among their excluded rooms, which every Socket.IO
 * adapter reads and which no dashboard receives.
 */
export function toReadRoom({ claimedToken, readId }: ReadLink): string {
  return `read:${claimedToken}:${readId}`;
}

/** Finds the link among the excluded rooms of a message. A worker of an earlier version sends none. */
export function findReadLink(rooms: readonly string[]): ReadLink | undefined {
  for (const room of rooms) {
    const [, claimedToken, readId] = ROOM.exec(room) ?? [];
    if (claimedToken !== undefined && readId !== undefined) return { claimedToken, readId };
  }
  return undefined;
}
