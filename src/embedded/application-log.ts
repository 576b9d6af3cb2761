import { isNativeError } from 'node:util/types';
import { pino } from 'pino';
import type { Logger } from '../process/logger.ts';
import type { ApplicationLogger } from './options.ts';

/** Lowest numbers of pino's levels. */
const WARN = 40;
const ERROR = 50;

/**
 * Our lines in the application's own log, as `(message, fields)`; without a logger JSON lines on the standard output. A logger
 * that throws, rejects or lacks a method neither fails an emission nor ends the process: a line that it loses is printed to the
 * standard error, with the reason.
 * @param fields  further fields of each line
 */
export function createApplicationLog(logger: ApplicationLogger | undefined, fields?: () => object): Logger {
  const options = { level: 'info', ...(fields && { mixin: fields }) };
  if (!logger) return pino({ ...options, name: 'emissions' });
  const write = (line: string): void => {
    const report = (error: unknown): void => {
      const reason = isNativeError(error) ? error.message : 'it threw a value that is not an error';
      // Unlike process.stderr.write, it never fails, even if the standard error is closed.
      console.error(`The logger failed: ${reason}. The line was: ${line.trimEnd()}`);
    };
    const { msg = '', level = 0, ...fields } = JSON.parse(line) as { msg?: string; level?: number };
    try {
      Promise.resolve(callLogger(logger, level, msg, fields)).catch(report);
    } catch (error) {
      report(error);
    }
  };
  return pino({ ...options, base: null, timestamp: false }, { write });
}

function callLogger(
  logger: Partial<ApplicationLogger>,
  level: number,
  message: string,
  fields: object,
): unknown {
  const name = level >= ERROR ? 'error' : level < WARN ? 'info' : warningMethod(logger);
  // An application written in JavaScript may pass anything.
  if (typeof logger[name] !== 'function') throw new TypeError(`it has no method ${name}`);
  return logger[name](message, fields);
}

function warningMethod({ warn, warning }: Partial<ApplicationLogger>): 'warn' | 'warning' | 'info' {
  if (typeof warn === 'function') return 'warn';
  return typeof warning === 'function' ? 'warning' : 'info';
}
