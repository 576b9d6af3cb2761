import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Id } from '@appointment-emissions/contracts';
import { createScreenCheck } from './check-screen.ts';

export interface HistoryCheck {
  accepted: number;
  /** Accepted emissions that were published: by the job, the company log or a socket. */
  published: number;
  failed: number;
  lost: number;
  /** Live events that plain socket clients received, and those of an emission that the same client had already received. */
  received: number;
  duplicates: number;
  /** Entries of the company logs. */
  logged: number;
  /** Snapshots that the screens showed. */
  shown: number;
  /** Number of keys in the largest partition. The check holds one partition at a time. */
  largestPartition: number;
  violations: string[];
}

type Lines = AsyncIterable<string[]>;
interface Context {
  counts: Omit<HistoryCheck, 'violations'>;
  /** Records a violation. Of each kind only the first ones are kept: a broken run has a million. */
  report: (kind: string, what: string) => void;
  written: Map<Id, { version: number; companyId: Id }>;
}

/** Largest share of duplicates on the wire. */
const MAX_DUPLICATES = 0.001;
/** In a smaller run the share is only reported: each kill can cause as many duplicates as jobs were in progress. */
const DUPLICATES_FROM = 100_000;
const MAX_LISTED = 20;

/** The check of each kind of file, by the beginning of its name. Screens are compared with the writes, which are read first. */
const CHECKS: Record<string, (lines: Lines, context: Context, name: string) => Promise<void>> = {
  writes: readWrites,
  'emissions-': checkEmissions,
  'offsets-': checkOffsets,
  'log-': checkLog,
  'socket-': checkSocket,
  'screen-': checkScreen,
};

/**
 * Reads the history in a folder, file by file. It needs memory for one partition, and for one version of each appointment.
 * Every screen must end at the last version that was written, so the run must have settled.
 * @param failsOver  whether replicas took over. They may lack the newest writes, since replication is asynchronous: lost emissions
 *   and duplicates are only counted then
 * @param duplicatesFrom  number of events on the wire from which on the share of duplicates is limited
 */
export async function checkHistory(
  dir: string,
  { failsOver = false, duplicatesFrom = DUPLICATES_FROM } = {},
): Promise<HistoryCheck> {
  const counts = {
    ...{ accepted: 0, published: 0, failed: 0, lost: 0, received: 0, duplicates: 0, logged: 0, shown: 0 },
    largestPartition: 0,
  };
  const found = new Map<string, string[]>();
  const report: Context['report'] = (kind, what) => {
    const listed = found.get(kind) ?? [];
    found.set(kind, listed);
    if (listed.length < MAX_LISTED) listed.push(what);
  };
  const context: Context = { counts, report, written: new Map() };
  const names = readdirSync(dir).sort();
  for (const [prefix, check] of Object.entries(CHECKS)) {
    for (const name of names.filter((one) => one.startsWith(prefix)))
      await check(linesOf(join(dir, name)), context, name);
  }
  const { received, duplicates } = counts;
  if (received >= duplicatesFrom && duplicates > received * MAX_DUPLICATES)
    report('duplicate', `${duplicates} of ${received} events on the wire were duplicates`);
  if (failsOver) for (const kind of ['lost', 'duplicate']) found.delete(kind);
  return { ...counts, violations: [...found.values()].flat() };
}

async function* linesOf(file: string): Lines {
  for await (const line of createInterface({ input: createReadStream(file) })) yield line.split(' ');
}

async function readWrites(lines: Lines, { written }: Context): Promise<void> {
  for await (const [appointmentId = '', version, companyId = ''] of lines)
    written.set(appointmentId, { version: Number(version), companyId });
}

/** Each accepted emission was published, or its job failed. No socket client receives one twice. */
async function checkEmissions(lines: Lines, { counts, report }: Context): Promise<void> {
  const emissions = new Map<string, Set<string>>();
  for await (const [what = '', emissionId = '', socket = ''] of lines) {
    const known = emissions.get(emissionId) ?? new Set();
    emissions.set(emissionId, known);
    if (what === 'received') {
      counts.received += 1;
      if (known.has(socket)) counts.duplicates += 1;
      known.add(socket);
    }
    known.add(what);
  }
  for (const [emissionId, known] of emissions) {
    if (!known.has('accepted')) continue;
    counts.accepted += 1;
    if (['published', 'logged', 'received'].some((what) => known.has(what))) counts.published += 1;
    else if (known.has('failed')) counts.failed += 1;
    else {
      counts.lost += 1;
      report('lost', `emission ${emissionId} was accepted but lost`);
    }
  }
  counts.largestPartition = Math.max(counts.largestPartition, emissions.size);
}

/** Each offset of an epoch belongs to one emission. */
async function checkOffsets(lines: Lines, { counts, report }: Context): Promise<void> {
  const emissionAt = new Map<string, string>();
  for await (const [position = '', emissionId = ''] of lines) {
    const before = emissionAt.get(position) ?? emissionId;
    if (before !== emissionId)
      report('offset', `${position} is the offset of ${before} and of ${emissionId}`);
    emissionAt.set(position, emissionId);
  }
  counts.largestPartition = Math.max(counts.largestPartition, emissionAt.size);
}

/** The offsets of an epoch are consecutive. */
async function checkLog(lines: Lines, { counts, report }: Context, name: string): Promise<void> {
  let [epoch, last]: [string | undefined, number] = [undefined, 0];
  for await (const [own, offset] of lines) {
    counts.logged += 1;
    const expected = own === epoch ? last + 1 : 1;
    if (Number(offset) !== expected)
      report('log', `${name} of epoch ${own ?? ''} has offset ${offset ?? ''} instead of ${expected}`);
    [epoch, last] = [own, Number(offset)];
  }
}

/** A connection receives increasing offsets of an epoch, and only its own company's data. */
async function checkSocket(lines: Lines, { report }: Context, name: string): Promise<void> {
  let [before, last]: [string, number] = ['', 0];
  for await (const [companyId, owner, epoch = '', offset, connection = ''] of lines) {
    if (owner !== companyId) report('company', `${name} received an appointment of another company`);
    const current = `${connection}/${epoch}`;
    if (current === before && Number(offset) <= last)
      report('wire', `${name} received offset ${offset ?? ''} after ${last} of epoch ${epoch}`);
    [before, last] = [current, Number(offset)];
  }
}

/** A screen never goes back, shows its own company only, and ends at the last version that was written. */
async function checkScreen(lines: Lines, { counts, report, written }: Context, name: string): Promise<void> {
  const screen = createScreenCheck(name);
  let own: Id = '';
  for await (const [companyId = '', owner = '', appointmentId = '', version, origin = ''] of lines) {
    own = companyId;
    counts.shown += 1;
    const line = { companyId, owner, appointmentId, version: Number(version), origin };
    for (const { kind, what } of screen.check(line)) report(kind, what);
  }
  for (const [appointmentId, { version, companyId }] of written) {
    const shown = screen.newest.get(appointmentId) ?? 0;
    if (companyId === own && shown !== version)
      report('stale', `${name} ended at version ${shown} of ${appointmentId} instead of ${version}`);
  }
}
