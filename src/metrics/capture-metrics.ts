import { Counter, Gauge, type Registry } from 'prom-client';
import type { EmissionSource } from '@appointment-emissions/contracts';
import { EMISSION_SOURCES } from '../domain/emission-log.ts';
import { configurationOf } from './prometheus-catalog.ts';

/** What became of a change: its writer announced it, capture emitted it, or it is a deletion whose company is not known. */
const CHANGE_RESULTS = ['announced', 'emitted', 'unknown company'] as const;

export interface CaptureMetrics {
  /** Counts a published emission by what reported the write. */
  published: (source: EmissionSource) => void;
  captured: (result: (typeof CHANGE_RESULTS)[number], n: number) => void;
  captureRestarted: (reason: string) => void;
  /** @param savedAgeMs  since the resume token was saved; undefined while this process does not read the stream */
  watchCapture: (savedAgeMs: () => number | undefined) => void;
}

/** Metrics of the ways in which writes become known, in this process alone. */
export function registerCaptureMetrics(registry: Registry): CaptureMetrics {
  const registers = [registry];
  const bySource = new Counter({ ...configurationOf('emission_published_by_source_total'), registers });
  for (const source of EMISSION_SOURCES) bySource.inc({ source }, 0);
  const changes = new Counter({ ...configurationOf('emission_capture_changes_total'), registers });
  for (const result of CHANGE_RESULTS) changes.inc({ result }, 0);
  const restarts = new Counter({ ...configurationOf('emission_capture_restarts_total'), registers });

  let savedAgeMs: () => number | undefined = () => undefined;
  new Gauge({
    ...configurationOf('emission_capture_owner'),
    registers,
    collect() {
      this.set(savedAgeMs() === undefined ? 0 : 1);
    },
  });
  new Gauge({
    ...configurationOf('emission_capture_token_age_seconds'),
    registers,
    collect() {
      const ms = savedAgeMs();
      if (ms === undefined) this.remove();
      else this.set(ms / 1_000);
    },
  });
  return {
    published: (source) => {
      bySource.inc({ source });
    },
    captured: (result, n) => {
      changes.inc({ result }, n);
    },
    captureRestarted: (reason) => {
      restarts.inc({ reason });
    },
    watchCapture: (savedAge) => {
      savedAgeMs = savedAge;
    },
  };
}
