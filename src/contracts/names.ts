/**
 * The room of one company. A socket joins exactly this room, named by its signed claim.
 * @param companyId 24 hex characters
 */
export function companyRoom(companyId: string): string {
  return `company:${companyId}`;
}

export const QUEUE_NAME = 'appointment-emissions';
export const DASHBOARD_NAMESPACE = '/';
export const INTERNAL_NAMESPACE = '/internal';

/** An ObjectId as it crosses a process: 24 hexadecimal characters. */
export const OBJECT_ID = /^[0-9a-f]{24}$/i;
