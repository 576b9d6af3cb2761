import { join } from 'node:path';
import winston from 'winston';
import { config } from './config.js';

const { combine, errors, json, timestamp } = winston.format;
const format = combine(errors({ stack: true }), timestamp(), json());
const file = (name, level) => new winston.transports.File({ filename: join(config.logDir, name), level });

export const logger = winston.createLogger({
  format,
  transports: [file('combined.log'), file('error.log', 'error')],
});

const flow = winston.createLogger({
  levels: winston.config.syslog.levels,
  format,
  transports: [file('message-flow.log')],
});
logger.messageFlow = {
  info: (message, fields) => flow.info(message, fields),
  warning: (message, fields) => flow.warning(message, fields),
  error: (message, fields) => flow.error(message, fields),
};
