import { randomUUID } from 'node:crypto';
import { afterEach } from '@jest/globals';
import { Redis } from 'ioredis';
import { createMetrics } from '../../src/metrics/create-metrics.ts';
import { readMetrics } from '../../src/metrics/fleet/read-metrics.ts';

export function redisUrl(): string {
  const url = process.env.TEST_REDIS_URL;
  if (!url) throw new Error('TEST_REDIS_URL is not set: jest’s globalSetup starts Redis');
  return url;
}

/** Starts a separate fleet for each test, and ends everything that the test started. */
export function useFleet() {
  const closers: (() => Promise<unknown>)[] = [];

  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  function start() {
    const prefix = `test-${randomUUID()}`;
    const redis = new Redis(redisUrl());
    closers.push(() => redis.quit());
    const errors: unknown[] = [];

    return {
      prefix,
      redis,
      errors,
      /** One process of the fleet. Its timer stays out of the way: tests flush. */
      process(deps: Partial<Parameters<typeof createMetrics>[0]> = {}) {
        const onError = (error: unknown) => errors.push(error);
        const metrics = createMetrics({ redis, prefix, processMetrics: false, onError, ...deps });
        closers.push(metrics.close);
        return metrics;
      },
      read: (now?: () => number) => readMetrics({ redis, prefix, ...(now && { now }) }),
      keys: () => redis.keys(`{${prefix}}*`),
      closeAtEnd: (close: () => Promise<unknown>) => closers.push(close),
    };
  }
  return { start };
}
