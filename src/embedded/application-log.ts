import { pino } from 'pino';
import type { Logger } from '../process/logger.ts';
import type { ApplicationLogger } from './options.ts';

/** Lowest numbers of pino's levels. */
const WARN = 40;
const ERROR = 50;

/** Our lines in the application's own log, as `(message, fields)`; without a logger JSON lines on the standard output. */
export function createApplicationLog(logger: ApplicationLogger | undefined): Logger {
  const options = { level: 'info', name: 'emissions' };
  if (!logger) return pino(options);
  const write = (line: string): void => {
    const report = (error: unknown): void => {
      process.stderr.write(`the logger failed (${String(error)}), the line was: ${line}`);
    };
    const { msg = '', level = 0, ...fields } = JSON.parse(line) as { msg?: string; level?: number };
    // A logger that throws or rejects must not fail an emission, nor end the process.
    try {
      Promise.resolve(methodOf(logger, level).call(logger, msg, fields)).catch(report);
    } catch (error) {
      report(error);
    }
  };
  return pino({ level: options.level, base: null, timestamp: false }, { write });
}

function methodOf(logger: ApplicationLogger, level: number): ApplicationLogger['info'] {
  if (level >= ERROR) return logger.error;
  return level >= WARN ? (logger.warn ?? logger.warning ?? logger.info) : logger.info;
}
