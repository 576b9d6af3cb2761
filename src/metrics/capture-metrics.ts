import { Counter, Gauge, type Registry } from 'prom-client';
import type { EmissionSource } from '@appointment-emissions/contracts';
import { END_REASONS, type EndReason } from '../domain/changes.ts';
import { EMISSION_SOURCES } from '../domain/emission-log.ts';
import { configurationOf } from './prometheus-catalog.ts';

/**
 * What became of a change: its writer announced it, capture emitted it, it is a deletion whose company is not known, or MongoDB
 * did not return its document.
 */
const CHANGE_RESULTS = ['announced', 'emitted', 'unknown company', 'unread'] as const;

export interface CaptureMetrics {
  /** Counts a published emission by what reported the write. */
  published: (source: EmissionSource) => void;
  captured: (result: (typeof CHANGE_RESULTS)[number], n: number) => void;
  captureRestarted: (reason: EndReason) => void;
  /** Call if capture is on. @param tokenAgeMs  since the saved resume token advanced; undefined while this process does not read the stream */
  watchCapture: (tokenAgeMs: () => number | undefined) => void;
}

/** Metrics of the ways in which writes become known, in this process alone. */
export function registerCaptureMetrics(registry: Registry): CaptureMetrics {
  const registers = [registry];
  const bySource = new Counter({ ...configurationOf('emission_published_by_source_total'), registers });
  for (const source of EMISSION_SOURCES) bySource.inc({ source }, 0);
  const changes = new Counter({ ...configurationOf('emission_capture_changes_total'), registers });
  const restarts = new Counter({ ...configurationOf('emission_capture_restarts_total'), registers });

  let tokenAgeMs: () => number | undefined = () => undefined;
  new Gauge({
    ...configurationOf('emission_capture_owner'),
    registers,
    collect() {
      this.set(tokenAgeMs() === undefined ? 0 : 1);
    },
  });
  new Gauge({
    ...configurationOf('emission_capture_token_age_seconds'),
    registers,
    collect() {
      const ms = tokenAgeMs();
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
    watchCapture: (tokenAge) => {
      // Without capture these series are missing: the alarms must not take a missing stream for a silent one.
      for (const result of CHANGE_RESULTS) changes.inc({ result }, 0);
      for (const reason of END_REASONS) restarts.inc({ reason }, 0);
      tokenAgeMs = tokenAge;
    },
  };
}
