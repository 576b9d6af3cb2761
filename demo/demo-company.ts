import { createHash } from 'node:crypto';

/** The same 24 hex characters for the same name, on every machine: a second seeding finds the first one's documents. */
export function demoId(name: string): string {
  return createHash('sha256').update(`demo grooming/${name}`).digest('hex').slice(0, 24);
}

export const DEMO_COMPANY = { id: demoId('company'), name: 'Demo Grooming' } as const;
