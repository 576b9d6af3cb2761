import { Gauge, type Registry } from 'prom-client';
import { configurationOf } from './prometheus-catalog.ts';

/** Adds the number of warnings in `/health`. @param read  settles in bounded time */
export function registerWarningsGauge(registry: Registry, read: () => Promise<readonly string[]>): void {
  new Gauge({
    ...configurationOf('emission_health_warnings'),
    registers: [registry],
    async collect() {
      this.set((await read()).length);
    },
  });
}
