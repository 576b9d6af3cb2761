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
    const { msg = '', level = 0, ...fields } = JSON.parse(line) as { msg?: string; level?: number };
    const warn = logger.warn?.bind(logger) ?? logger.warning?.bind(logger) ?? logger.info.bind(logger);
    // A logger that throws must not fail an emission.
    try {
      if (level >= ERROR) logger.error(msg, fields);
      else if (level >= WARN) warn(msg, fields);
      else logger.info(msg, fields);
    } catch (error) {
      process.stderr.write(`the logger failed (${String(error)}), the line was: ${line}`);
    }
  };
  return pino({ level: options.level, base: null, timestamp: false }, { write });
}
