import { createHash } from 'node:crypto';

/** Derives an id of 24 hex characters from a name. It is the same on every machine, so repeated seeding creates no duplicates. */
export function demoId(name: string): string {
  return createHash('sha256').update(`demo grooming/${name}`).digest('hex').slice(0, 24);
}

export const DEMO_COMPANY = { id: demoId('company'), name: 'Demo Grooming' } as const;
