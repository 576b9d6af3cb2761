import { userInfo } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { escapeMarks, QUEUES } from '@appointment-emissions/contracts';
import { type Environment, loadWorkerConfig, type WorkerConfig } from '../config.ts';
import { AppError } from '../errors.ts';
import { loadModel } from '../model/load-model.ts';
import { auditCounts, type AuditEntry, auditFilter, auditResult, createAudit } from '../process/audit.ts';
import { createFileSink } from '../process/log-sinks.ts';
import type { Command } from './command-line.ts';
import { runErase } from './run-erase.ts';
import { type RepairName, runRepair, toRequest } from './run-repair.ts';
import { setQueuesPaused } from './set-queues-paused.ts';

/** A command that changes something. */
export interface ChangeCommand extends Command {
  name: RepairName | 'queue' | 'erase';
}

/**
 * Runs a command that changes something, and writes its audit line with the system user: to `combined.log`, or to the standard
 * error if there is no log file or it cannot be written.
 * @returns text for the terminal, and false if the command must run again
 */
export async function runChange(
  env: Environment,
  { name, argument, options }: ChangeCommand,
): Promise<{ text: string; isComplete: boolean }> {
  const config = loadWorkerConfig(env);
  const request = toRequest({ argument: name === 'queue' ? undefined : argument, options });
  const dryRun = request['dryRun'] === true;
  const audited = <Report extends object>(
    what: Pick<AuditEntry, 'action' | 'filter'>,
    run: () => Promise<Report>,
  ) => runAudited(config, { who: systemUser(env), dryRun, ...what }, run);

  if (name === 'queue') {
    const chosen = QUEUES.filter((queue) => options[queue] !== undefined);
    const queues = chosen.length > 0 ? chosen : QUEUES;
    const { sentences } = await audited(
      { action: `queue ${argument ?? ''}`, filter: { queues } },
      async () => ({
        matched: queues.length,
        sentences: await setQueuesPaused(config, queues, argument === 'pause'),
      }),
    );
    return { text: sentences.join('\n'), isComplete: true };
  }
  const what = { action: name, filter: auditFilter(request) };
  if (name === 'erase') {
    const report = await audited(what, () => runErase(config, request));
    return { text: toJson(report), isComplete: report.complete };
  }
  const model = await loadModel(config.EMISSIONS_MODEL);
  const report = await audited(what, () => runRepair(config, model, { name, argument, options }));
  return { text: toJson(report), isComplete: true };
}

const toJson = (report: object): string => JSON.stringify(report, null, 2);

async function runAudited<Report extends object>(
  config: WorkerConfig,
  what: Pick<AuditEntry, 'who' | 'action' | 'filter' | 'dryRun'>,
  run: () => Promise<Report>,
): Promise<Report> {
  const entry = { via: 'command', ...what } as const;
  try {
    const report = await run();
    await writeLine(config, { ...entry, ...auditCounts(report, what.dryRun === true), result: 'done' });
    return report;
  } catch (error) {
    const { status, code } = error instanceof AppError ? error : { status: 500, code: 'INTERNAL_ERROR' };
    await writeLine(config, { ...entry, result: auditResult(status), code });
    throw error;
  }
}

/** The user of this process, and the user who called sudo. */
function systemUser({ SUDO_USER: caller }: Environment): string {
  let user: string;
  try {
    user = userInfo().username;
  } catch {
    // A container can run as a user without a name.
    user = `uid ${process.getuid?.() ?? 'unknown'}`;
  }
  return caller === undefined || caller === user ? user : `${user} (sudo by ${caller})`;
}

async function writeLine(
  { LOG_DIR, LOG_FILES, LOG_FILE_MAX_MB }: WorkerConfig,
  entry: AuditEntry,
): Promise<void> {
  let line = '';
  const write = (json: string): void => {
    line += escapeMarks(json);
  };
  createAudit(pino({ name: 'command' }, { write }))(entry);
  if (LOG_FILES > 0) {
    const rotation = { maxBytes: LOG_FILE_MAX_MB * 1_000_000, maxFiles: LOG_FILES };
    const sink = createFileSink(join(LOG_DIR, 'combined.log'), rotation);
    sink.write(Buffer.from(line), 1);
    await sink.close();
    if (!sink.isFailing()) return;
  }
  process.stderr.write(line);
}
