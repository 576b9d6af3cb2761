import type { ServiceHandle, ServiceOptions } from './service.mjs';

/**
 * Starts a MongoDB (or SecantusDB) of our own on 127.0.0.1. Resolves when it answers as a writable primary.
 * @throws when none is to be had, or it doesn't answer; the message says what to do, or quotes its log
 */
export function startMongo(options: ServiceOptions): Promise<ServiceHandle>;
